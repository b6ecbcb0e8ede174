"""Runs the encore's speculative decoding on engines.

Shapes: T tokens, K proposed tokens, V vocabulary.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from gpt2.decoding.errors import NoNumbersError
from gpt2.decoding.generation import (
    Sampling,
    Step,
    Strategy,
    TokenEngine,
    likeliest_tokens,
)
from solutions import encore_sampling, encore_speculative


class Speculative(Protocol):
    """The interface of the encore: the solution's or a learner's module."""

    propose_from_text: Any
    propose_with_model: Any
    speculative_round: Any


class Distributions:
    """An engine as the encore's model: from ids and a count to distributions.

    The engine reads only new tokens. It keeps those that a text begins with as well as
    the text of the last call, and forgets the others.

    Args:
        engine: the model.
        strategy: the temperature and the filters of the distributions.
        sampling: applies the filters.

    Attributes:
        calls: how often the engine has run.
    """

    def __init__(
        self,
        engine: TokenEngine,
        strategy: Strategy,
        sampling: Sampling = encore_sampling,
    ) -> None:
        self._engine, self._strategy, self._sampling = engine, strategy, sampling
        self._ids: list[int] = []
        self._logits = np.empty([0, 0])
        self.calls = 0

    def __call__(self, ids: Sequence[int], count: int) -> np.ndarray:
        """Returns ``[count, V]``: what follows the text, up to its last ``count`` ends.

        Raises:
            NoNumbersError: the model computes no finite numbers.
        """
        text = list(ids)
        kept = min(in_common(self._ids, text), len(text) - count)
        new = np.array([text[kept:]], dtype=np.int64)
        self._logits = self._engine.continue_from(kept, new, count)[0]
        self._ids, self.calls = text, self.calls + 1
        if not np.isfinite(self._logits.max(axis=-1)).all():
            raise NoNumbersError
        return np.stack([self._distribution(place) for place in range(count)])

    def step(self, place: int, token: int, *, look: bool) -> Step:
        """Returns a token of the last call's text as a step; ``look`` adds chances."""
        if not look:
            return Step(token)
        chances = self._probabilities(place)
        best = likeliest_tokens(chances, self._sampling)
        return Step(token, float(chances[token]), best)

    def _distribution(self, place: int) -> np.ndarray:
        """Returns what a place's token is drawn from; greedy choice draws one token."""
        if not self._strategy.greedy:
            return self._probabilities(place)
        logits = self._logits[place]
        certain = np.zeros(len(logits))
        certain[self._strategy.likeliest(logits, self._before(place))] = 1
        return certain

    def _probabilities(self, place: int) -> np.ndarray:
        logits, before = self._logits[place], self._before(place)
        return self._strategy.probabilities(logits, before, self._sampling)

    def _before(self, place: int) -> list[int]:
        """Returns the ids before a place of the last call."""
        return self._ids[: len(self._ids) - len(self._logits) + 1 + place]


def in_common(first: Sequence[int], second: Sequence[int]) -> int:
    """Returns how many ids two texts have in common from the start."""
    pairs = enumerate(zip(first, second, strict=False))
    shorter = min(len(first), len(second))
    return next((place for place, (a, b) in pairs if a != b), shorter)


class Speculation:
    """Writes texts whose tokens are guessed by a draft and checked by the model.

    Args:
        engine: the model.
        draft: a smaller model; None guesses from the text itself.
        vocab_size: V.
        tokens: how many tokens the draft proposes at most.
        encore: keeps and replaces the guesses.
        sampling: applies the filters.

    Attributes:
        calls: how often the model has run for the last text.
    """

    def __init__(
        self,
        engine: TokenEngine,
        draft: TokenEngine | None,
        vocab_size: int,
        tokens: int,
        encore: Speculative = encore_speculative,
        sampling: Sampling = encore_sampling,
    ) -> None:
        self._engine, self._draft = engine, draft
        self._vocab_size, self._tokens = vocab_size, tokens
        self._encore, self._sampling = encore, sampling
        self.calls = 0

    def steps(
        self,
        ids: Sequence[int],
        strategy: Strategy,
        rng: np.random.Generator,
        *,
        max_new_tokens: int,
        end_ids: Collection[int],
        look: bool = False,
    ) -> Iterator[Step]:
        """Continues a text; yields the tokens of a round when the round is over.

        With ``look``, steps have the model's probabilities.

        Raises:
            ValueError: the encore returns something else than the ids of a round.
        """
        model = Distributions(self._engine, strategy, self._sampling)
        draft = self._proposer(strategy, rng)
        text, longest = list(ids), len(ids) + max_new_tokens
        self.calls = 0
        while len(text) < longest:
            most = min(self._tokens, longest - len(text) - 1)
            found = self._encore.speculative_round(model, draft, list(text), most, rng)
            self.calls = model.calls
            for place, token in enumerate(self._checked(found, most)):
                text.append(token)
                yield model.step(place, token, look=look)
                if token in end_ids:
                    return

    def _proposer(self, strategy: Strategy, rng: np.random.Generator) -> Callable:
        """Returns the encore's draft, with the filters of the model."""
        if self._draft is None:
            propose = self._encore.propose_from_text
            return partial(propose, vocab_size=self._vocab_size)
        small = Distributions(self._draft, strategy, self._sampling)
        return partial(self._encore.propose_with_model, small, rng=rng)

    def _checked(self, found: Sequence[int], most: int) -> list[int]:
        """Requires from 1 to ``most + 1`` ids of the vocabulary."""
        new = [int(token) for token in found]
        known = all(0 <= token < self._vocab_size for token in new)
        if not (known and 1 <= len(new) <= most + 1):
            raise ValueError(f"speculative_round returned no 1 to {most + 1} ids")
        return new
