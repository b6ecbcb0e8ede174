"""Models and drafts for the checker of speculative decoding; they run in the worker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

ENDLESS = 100  # equal calls, one after the other


def as_ids(ids: Any, who: str) -> list[int]:
    """Requires ids ``[T]``; returns them as a list of its own."""
    if np.ndim(ids) != 1:
        raise TypeError(f"{who} takes ids [T], not {list(np.shape(ids))}")
    return [int(token) for token in ids]


def as_count(count: Any, who: str) -> int:
    """Requires a whole number."""
    if isinstance(count, bool) or not isinstance(count, int | np.integer):
        kind = type(count).__name__
        raise TypeError(f"{who} takes a whole number as its count, not {kind}")
    return int(count)


@dataclass
class TableModel:
    """A model whose distributions come from a table.

    Attributes:
        table: ``[R, V]``; row r has the distribution after texts whose last id is r.
        whole_text: all ids of the text select the row instead.
        seen: the ids and the count of every call.
        repeated: how often the last call was made before, without another between.
    """

    table: np.ndarray
    whole_text: bool = False
    seen: list[tuple[list[int], int]] = field(default_factory=list)
    repeated: int = 0

    def __call__(self, ids: Any, count: Any) -> np.ndarray:
        """Ids ``[T]`` and a count to distributions ``[count, V]``."""
        text, number = as_ids(ids, "a model"), as_count(count, "a model")
        if not 0 < number <= len(text):
            raise ValueError(f"after {len(text)} ids there are no {number} places")
        self.note((text, number))
        ends = range(len(text) - number + 1, len(text) + 1)
        return np.array([self.table[self.row(text[:end])] for end in ends])

    def note(self, call: tuple[list[int], int]) -> None:
        """Keeps a call; ends a loop that asks for the same again and again."""
        self.repeated = self.repeated + 1 if self.seen[-1:] == [call] else 0
        if self.repeated > ENDLESS:
            raise RuntimeError(f"the model gets the same {len(call[0])} ids for ever")
        self.seen.append(call)

    def row(self, text: list[int]) -> int:
        """The row of the table for what follows a text."""
        if not self.whole_text:
            return text[-1]
        row = 0
        for token in text:
            row = (row * 31 + token) % len(self.table)
        return row


@dataclass
class Guesses:
    """A draft that is certain of its guesses: after id i it proposes ``follow[i]``.

    Attributes:
        follow: an id for each of V ids.
        most: how many ids it proposes at most, whatever it is asked for.
        seen: the ids and the count of every call.
    """

    follow: Sequence[int]
    most: int = 1000
    seen: list[tuple[list[int], int]] = field(default_factory=list)

    def __call__(self, ids: Any, count: Any) -> tuple[list[int], np.ndarray]:
        """Ids ``[T]`` and a count to K ids and their distributions ``[K, V]``."""
        text, number = as_ids(ids, "a draft"), as_count(count, "a draft")
        if number < 0:
            raise ValueError(f"a draft cannot propose {number} ids")
        self.seen.append((text, number))
        proposed: list[int] = []
        for _ in range(min(number, self.most)):
            proposed.append(self.follow[[*text, *proposed][-1]])
        return proposed, np.eye(len(self.follow))[proposed]


@dataclass
class Drawing:
    """A draft that draws from a table's distributions.

    Attributes:
        table: ``[V, V]``, the distribution after each id.
        rng: its source of randomness.
    """

    table: np.ndarray
    rng: np.random.Generator

    def __call__(self, ids: Any, count: Any) -> tuple[list[int], np.ndarray]:
        """Ids ``[T]`` and a count to K ids and their distributions ``[K, V]``."""
        last, proposed = as_ids(ids, "a draft")[-1], []
        places = []
        for _ in range(as_count(count, "a draft")):
            places.append(last)
            edges = self.table[last].cumsum()
            last = int(np.searchsorted(edges / edges[-1], self.rng.random(), "right"))
            proposed.append(last)
        return proposed, self.table[places].reshape(-1, len(self.table))


def many(count: int, function: Callable, *args: Any, **kwargs: Any) -> list[list[int]]:
    """Calls a function that returns ids; single calls from the grader are slower."""
    return [[int(token) for token in function(*args, **kwargs)] for _ in range(count)]


def many_proposals(
    count: int, function: Callable, draft: Any, ids: list[int], number: int, rng: Any
) -> list[list[int]]:
    """Calls ``propose_with_model`` and keeps the ids."""
    found = [function(draft, list(ids), number, rng)[0] for _ in range(count)]
    return [[int(token) for token in proposed] for proposed in found]


def first_tokens(
    count: int, speculative_round: Callable, model: Any, draft: Any, rng: Any
) -> list[int]:
    """Rounds of one guess: the first new id of each."""
    return [int(speculative_round(model, draft, [0], 1, rng)[0]) for _ in range(count)]
