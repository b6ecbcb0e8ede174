"""One comparison of a check, and a way to collect all comparisons of a check."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """One comparison of a check: what the code gave, and what it has to give.

    Attributes:
        call: what was called, as the report shows it.
        yours: the code's numbers; of any shape.
        expected: the right numbers, float64.
        known: quantities of the calculation by name: arrays (inputs, parameters,
            intermediate results) and plain numbers (a size's root, a temperature).
        axes: the names of expected's axes, one each, such as ("text", "token").
        tolerance: the largest error, relative to max(1, abs(expected)), that is right.
    """

    call: str
    yours: np.ndarray
    expected: np.ndarray
    known: Mapping[str, np.ndarray | float]
    axes: tuple[str, ...]
    tolerance: float

    @cached_property
    def error(self) -> np.ndarray:
        """The error of each number."""
        return relative_error(self.yours, self.expected)

    @cached_property
    def wrong(self) -> np.ndarray:
        """True where a number is not right; all True if the shape is not."""
        if self.yours.shape != self.expected.shape:
            return np.ones(self.expected.shape, bool)
        return self.error > self.tolerance


def relative_error(yours: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The error of each number, relative for numbers above 1; NaN becomes inf."""
    with np.errstate(invalid="ignore"):
        error = np.abs(yours - expected) / np.maximum(1.0, np.abs(expected))
    error = np.where(yours == expected, 0.0, error)  # equal infinities
    return np.where(np.isnan(error), np.inf, error)


_collected: ContextVar[list[Comparison] | None] = ContextVar("collected", default=None)


@contextmanager
def collect_comparisons() -> Iterator[list[Comparison]]:
    """Collects the comparisons of the checks inside, instead of ending the first."""
    found: list[Comparison] = []
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def collected() -> list[Comparison] | None:
    """Returns the list that comparisons go to; None if the first wrong one raises."""
    return _collected.get()
