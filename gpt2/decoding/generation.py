"""Generates text: a loop asks an engine for one token after the other."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from gpt2.decoding.errors import NoNumbersError
from gpt2.decoding.settings import SAMPLING, SamplingSettings
from solutions import encore_sampling

SHOWN = 5  # number of likeliest tokens that a step reports
COLDEST = 1e-30  # a lower temperature gives the same probabilities, or overflows


class TokenEngine(Protocol):
    """The interface of engines; ``gpt2.engine.engines`` has two of them."""

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts new texts with ids ``[B, T]``; returns the next logits ``[B, V]``."""

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one token of ids ``[B]`` to every text; returns logits ``[B, V]``."""

    def select(self, rows: Sequence[int]) -> None:
        """Keeps only these rows of the batch, in this order; rows may repeat."""

    def continue_from(self, length: int, ids: np.ndarray, count: int) -> np.ndarray:
        """Keeps ``length`` tokens of each text and appends ids ``[B, T]``.

        Returns:
            ``[B, count, V]``, the logits after each of the last ``count`` tokens.
        """


class Sampling(Protocol):
    """The interface of the sampling encore: the solution's or a learner's module."""

    next_token_probabilities: Any
    top_tokens: Any
    sample: Any


class Chooser(Protocol):
    """The interface of ``choose``: the next token's step, from the logits ``[V]``."""

    def __call__(
        self,
        logits: np.ndarray,
        ids: Sequence[int],
        strategy: "Strategy",
        rng: np.random.Generator,
    ) -> "Step":
        """Chooses the token that follows ``ids``."""


class Strategy(SamplingSettings):
    """How the next token is chosen; temperature 0 is greedy: the likeliest token."""

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always chosen."""
        return self.temperature == 0

    @property
    def filtered(self) -> bool:
        """Whether anything but the temperature has a part in the choice."""
        settings = self._penalties() if self.greedy else asdict(self)
        usual = {setting.name: setting.default for setting in SAMPLING}
        return any(
            settings[name] != usual[name] for name in settings.keys() - {"temperature"}
        )

    def probabilities(
        self,
        logits: np.ndarray,
        ids: Sequence[int],
        sampling: Sampling = encore_sampling,
    ) -> np.ndarray:
        """Returns the distribution ``[V]`` that the next token is chosen from.

        Greedy choice uses no filters and temperature 1, so that the model's own
        probabilities are shown. No filter could remove the likeliest token.
        """
        settings = self._penalties() if self.greedy else self._all()
        logits = logits.astype(np.float64)  # float32 sums are not close enough to 1
        return sampling.next_token_probabilities(logits, ids, **settings)

    def likeliest(self, logits: np.ndarray, ids: Sequence[int]) -> int:
        """Returns the id that greedy choice takes, without computing probabilities."""
        if self.repetition_penalty != 1:
            scores = logits.astype(np.float64)
            penalty = self.repetition_penalty
            logits = encore_sampling.apply_repetition_penalty(scores, ids, penalty)
        return int(logits.argmax())  # the lowest id on a tie, as elsewhere

    def describe(self) -> dict[str, Any]:
        """Returns the settings that repeat this choice, without the seed."""
        if self.greedy:
            return {"name": "greedy", **self._penalties()}
        return {"name": "sampling", **asdict(self)}

    def _all(self) -> dict[str, float]:
        """Returns all settings for drawing."""
        return asdict(self) | {"temperature": max(self.temperature, COLDEST)}

    def _penalties(self) -> dict[str, float]:
        """Returns the settings that also change greedy choice."""
        return {s.name: getattr(self, s.name) for s in SAMPLING if s.penalty}


@dataclass(frozen=True)
class Step:
    """One new token, its probability, and the likeliest tokens as (id, probability).

    ``probability`` and ``best`` stay empty where they are not shown.
    """

    id: int
    probability: float | None = None
    best: Sequence[tuple[int, float]] = ()


def likeliest_tokens(
    probabilities: np.ndarray, sampling: Sampling
) -> list[tuple[int, float]]:
    """Returns the tokens that a step shows, of those that can be drawn."""
    best = sampling.top_tokens(probabilities, SHOWN)
    return [pair for pair in best if pair[1] > 0]


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

    Without ``look`` the step may have the id alone, which takes less time.

    Raises:
        NoNumbersError: no token has a finite highest logit.
    """
    if not np.isfinite(logits.max()):
        raise NoNumbersError
    if strategy.greedy and not look:
        return Step(strategy.likeliest(logits, ids))
    probabilities = strategy.probabilities(logits, ids, sampling)
    best = likeliest_tokens(probabilities, sampling) if look else []
    if strategy.greedy:
        chosen, probability = best[0]
        return Step(chosen, probability, best)
    with np.errstate(divide="ignore"):  # removed tokens: log 0 is -inf
        chosen = int(sampling.sample(np.log(probabilities), rng))
    return Step(chosen, float(probabilities[chosen]), best)


def generate(
    engine: TokenEngine,
    prompt_ids: Sequence[int],
    strategy: Strategy,
    rng: np.random.Generator,
    **limits: Any,
) -> Iterator[Step]:
    """Yields the steps of one text; ``limits`` are passed to ``generate_batch``."""
    for _, step in generate_batch(engine, prompt_ids, strategy, [rng], **limits):
        yield step


def generate_batch(
    engine: TokenEngine,
    prompt_ids: Sequence[int],
    strategy: Strategy,
    rngs: Sequence[np.random.Generator],
    *,
    max_new_tokens: int,
    end_ids: Collection[int],
    chooser: Chooser = choose,
) -> Iterator[tuple[int, Step]]:
    """Continues a prompt once for each generator; yields (row, step), row by row.

    A row ends after one of ``end_ids`` or after ``max_new_tokens`` steps. The others
    continue. The prompt needs at least one token and is not changed. The model runs
    only when the next step is asked for.
    """
    texts = [list(prompt_ids) for _ in rngs]
    going = list(range(len(rngs)))  # rows not ended, in the engine's order
    for number in range(max_new_tokens):
        logits = _start(engine, texts) if number == 0 else _go_on(engine, texts, going)
        for row, scores in zip(going, logits, strict=True):
            step = chooser(scores, texts[row], strategy, rngs[row])
            texts[row].append(step.id)
            yield row, step
        kept = [i for i, row in enumerate(going) if texts[row][-1] not in end_ids]
        if not kept:
            return
        if len(kept) < len(going):
            engine.select(kept)
            going = [going[i] for i in kept]


def _start(engine: TokenEngine, texts: list[list[int]]) -> np.ndarray:
    """Reads the common prompt once; returns the logits ``[B, V]``."""
    logits = engine.prefill(np.array(texts[:1], dtype=np.int64))
    if len(texts) > 1:
        engine.select([0] * len(texts))
    return logits.repeat(len(texts), axis=0)


def _go_on(
    engine: TokenEngine, texts: list[list[int]], rows: Sequence[int]
) -> np.ndarray:
    """Reads the last token of each row in ``rows``; returns logits ``[rows, V]``."""
    return engine.decode(np.array([texts[row][-1] for row in rows], dtype=np.int64))
