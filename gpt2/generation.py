"""Generation: the loop that asks an engine for one token after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np

from solutions.encore_sampling import next_token_probabilities, top_tokens

SHOWN = 5  # how many of the likeliest tokens a step reports


class TokenEngine(Protocol):
    """What generation needs of a model; ``gpt2.engine`` has two of them."""

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts new texts: ids ``[B, T]`` to the last logits ``[B, V]``."""

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Adds one token to each text: ids ``[B]`` to logits ``[B, V]``."""


@dataclass(frozen=True)
class Strategy:
    """How the next token is chosen; temperature 0 takes the likeliest (greedy)."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    @property
    def greedy(self) -> bool:
        """Whether nothing is left to chance."""
        return self.temperature == 0

    def probabilities(self, logits: np.ndarray, ids: Sequence[int]) -> np.ndarray:
        """Returns the distribution ``[V]`` that the next token is chosen from.

        Greedy gets the model's own: no filter could remove its likeliest token, and
        so a reader sees how sure the model was.
        """
        filters = asdict(self)
        penalty = filters.pop("repetition_penalty")
        if self.greedy:
            filters = {}
        logits = logits.astype(np.float64)  # the draw wants a sum of exactly 1
        return next_token_probabilities(logits, ids, penalty=penalty, **filters)


@dataclass(frozen=True)
class Step:
    """One new token, how likely it was, and the likeliest ones as (id, probability)."""

    id: int
    probability: float
    best: list[tuple[int, float]]


def choose(
    logits: np.ndarray,
    ids: Sequence[int],
    strategy: Strategy,
    rng: np.random.Generator,
) -> Step:
    """Chooses the token that follows ``ids``, given the model's logits ``[V]``."""
    probabilities = strategy.probabilities(logits, ids)
    best = [pair for pair in top_tokens(probabilities, SHOWN) if pair[1] > 0]
    if strategy.greedy:
        return Step(*best[0], best)
    chosen = int(rng.choice(len(probabilities), p=probabilities))
    return Step(chosen, float(probabilities[chosen]), best)


def generate(
    engine: TokenEngine,
    prompt_ids: Sequence[int],
    strategy: Strategy,
    rng: np.random.Generator,
    *,
    max_new_tokens: int,
    end_of_text_id: int,
) -> Iterator[Step]:
    """Yields up to ``max_new_tokens`` steps; an end of text is the last one.

    The prompt has at least one token and is left as it was. The model is asked only
    when the next step is.
    """
    ids = list(prompt_ids)
    for number in range(max_new_tokens):
        fresh = np.array(ids if number == 0 else ids[-1:], dtype=np.int64)
        logits = engine.prefill(fresh[None]) if number == 0 else engine.decode(fresh)
        step = choose(logits[0], ids, strategy, rng)
        yield step
        if step.id == end_of_text_id:
            return
        ids.append(step.id)
