"""Generation: the loop that asks an engine for one token after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from gpt2.decoding.settings import SAMPLING, SamplingSettings
from solutions import encore_sampling

SHOWN = 5  # how many of the likeliest tokens a step reports


class TokenEngine(Protocol):
    """What generation needs of a model; ``gpt2.engine.engines`` has two of them."""

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts new texts: ids ``[B, T]`` to the last logits ``[B, V]``."""

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Adds one token to each text: ids ``[B]`` to logits ``[B, V]``."""

    def select(self, rows: Sequence[int]) -> None:
        """Goes on with these of the texts, in this order; one may come twice."""


class Sampling(Protocol):
    """The sampling encore: the solution's module, or a learner's own."""

    next_token_probabilities: Any
    top_tokens: Any
    sample: Any


class Strategy(SamplingSettings):
    """How the next token is chosen; temperature 0 takes the likeliest (greedy)."""

    @property
    def greedy(self) -> bool:
        """Whether nothing is left to chance."""
        return self.temperature == 0

    def probabilities(
        self,
        logits: np.ndarray,
        ids: Sequence[int],
        sampling: Sampling = encore_sampling,
    ) -> np.ndarray:
        """Returns the distribution ``[V]`` that the next token is chosen from.

        Greedy gets the model's own: no filter could remove its likeliest token, and
        so a reader sees how sure the model was.
        """
        settings = self._penalties() if self.greedy else asdict(self)
        logits = logits.astype(np.float64)  # the draw wants a sum of exactly 1
        return sampling.next_token_probabilities(logits, ids, **settings)

    def likeliest(self, logits: np.ndarray, ids: Sequence[int]) -> int:
        """Returns the id that greedy chooses, without any probabilities."""
        if self.repetition_penalty != 1:
            scores = logits.astype(np.float64)
            penalty = self.repetition_penalty
            logits = encore_sampling.apply_repetition_penalty(scores, ids, penalty)
        return int(logits.argmax())  # of equals the lowest id, as everywhere

    def describe(self) -> dict[str, Any]:
        """Returns what is needed to choose like this again, but for the seed."""
        if self.greedy:
            return {"name": "greedy", **self._penalties()}
        return {"name": "sampling", **asdict(self)}

    def _penalties(self) -> dict[str, float]:
        """The settings that count for greedy choice as well."""
        return {s.name: getattr(self, s.name) for s in SAMPLING if s.penalty}


@dataclass(frozen=True)
class Step:
    """One new token, how likely it was, and the likeliest ones as (id, probability).

    Where nobody looks at the steps, the last two are left out.
    """

    id: int
    probability: float | None = None
    best: Sequence[tuple[int, float]] = ()


def choose(
    logits: np.ndarray,
    ids: Sequence[int],
    strategy: Strategy,
    rng: np.random.Generator,
    sampling: Sampling = encore_sampling,
    *,
    look: bool = True,
) -> Step:
    """Chooses the token that follows ``ids``, given the model's logits ``[V]``.

    Without ``look`` the step is the id alone, which takes less time.
    """
    if strategy.greedy and not look:
        return Step(strategy.likeliest(logits, ids))
    probabilities = strategy.probabilities(logits, ids, sampling)
    best = sampling.top_tokens(probabilities, SHOWN) if look else []
    best = [pair for pair in best if pair[1] > 0]
    if strategy.greedy:
        chosen, probability = best[0]
        return Step(chosen, probability, best)
    with np.errstate(divide="ignore"):  # log 0 is -inf: a token that was removed
        chosen = int(sampling.sample(np.log(probabilities), rng))
    return Step(chosen, float(probabilities[chosen]), best)


def generate(
    engine: TokenEngine,
    prompt_ids: Sequence[int],
    strategy: Strategy,
    rng: np.random.Generator,
    **limits: Any,
) -> Iterator[Step]:
    """Yields the steps of one text; the arguments are ``generate_batch``'s."""
    for _, step in generate_batch(engine, prompt_ids, strategy, [rng], **limits):
        yield step


def generate_batch(
    engine: TokenEngine,
    prompt_ids: Sequence[int],
    strategy: Strategy,
    rngs: Sequence[np.random.Generator],
    *,
    max_new_tokens: int,
    end_of_text_id: int,
    sampling: Sampling = encore_sampling,
) -> Iterator[tuple[int, Step]]:
    """Continues a prompt once for each generator, and yields (row, step) in turns.

    A row has up to ``max_new_tokens`` steps; an end of text is its last one, and the
    others go on without it. The prompt has at least one token and is left as it was.
    The model is asked only when the next step is.
    """
    texts = [list(prompt_ids) for _ in rngs]
    going = list(range(len(rngs)))  # the rows that have not ended, as the engine's
    for number in range(max_new_tokens):
        logits = _start(engine, texts) if number == 0 else _go_on(engine, texts, going)
        for row, scores in zip(going, logits, strict=True):
            step = choose(scores, texts[row], strategy, rngs[row], sampling)
            texts[row].append(step.id)
            yield row, step
        kept = [i for i, row in enumerate(going) if texts[row][-1] != end_of_text_id]
        if not kept:
            return
        if len(kept) < len(going):
            engine.select(kept)
            going = [going[i] for i in kept]


def _start(engine: TokenEngine, texts: list[list[int]]) -> np.ndarray:
    """Reads the prompt that all rows share once: logits ``[B, V]``."""
    logits = engine.prefill(np.array(texts[:1], dtype=np.int64))
    if len(texts) > 1:
        engine.select([0] * len(texts))
    return logits.repeat(len(texts), axis=0)


def _go_on(
    engine: TokenEngine, texts: list[list[int]], rows: Sequence[int]
) -> np.ndarray:
    """Reads the last token of each row that goes on: logits ``[rows, V]``."""
    return engine.decode(np.array([texts[row][-1] for row in rows], dtype=np.int64))
