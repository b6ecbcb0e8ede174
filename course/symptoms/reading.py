"""A reading of a wrong shape: what is said, and what puts it right."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from course.symptoms.case import Case

Change = Callable[[Case], Case | None]  # yours and the right result in one shape


@dataclass(frozen=True)
class Reading:
    """What may be wrong with a shape.

    Attributes:
        text: the sentence.
        change: makes a case in which this is put right; None if it is not so.
        exact: the sentence needs the right numbers to be more than a guess.
        after: what is said if the numbers are right then.
    """

    text: str
    change: Change
    exact: bool = False
    after: str = "Apart from that the numbers are right."


def with_yours(change: Callable[[Case], np.ndarray | None]) -> Change:
    """A change of yours alone."""

    def changed(case: Case) -> Case | None:
        yours = change(case)
        return None if yours is None else case.changed(yours=yours)

    return changed


def with_right(change: Callable[[Case], np.ndarray | None]) -> Change:
    """A change of the right result alone, without what is known of it."""

    def changed(case: Case) -> Case | None:
        right = change(case)
        if right is None or right.shape != case.yours.shape:
            return None
        axes = case.axes if right.ndim == len(case.axes) else ("place",) * right.ndim
        return case.changed(expected=right, axes=axes, arrays={})

    return changed


REDUCTIONS: list[tuple[str, Callable[[np.ndarray, int], np.ndarray]]] = [
    ("the first {}", lambda x, axis: x.take(0, axis)),
    ("the last {}", lambda x, axis: x.take(-1, axis)),
    ("the mean", lambda x, axis: x.mean(axis)),
    ("the sum", lambda x, axis: x.sum(axis)),
    ("the maximum", lambda x, axis: x.max(axis)),
]


def longer_by_one(case: Case, axis: int) -> np.ndarray:
    """Yours with an axis of size 1 more."""
    return np.expand_dims(case.yours, axis)


def reduced(
    case: Case, name: str, reduce: Callable[[np.ndarray, int], np.ndarray]
) -> np.ndarray | None:
    """The right result with an axis reduced."""
    axis = case.axis(name)
    if axis is None or not case.expected.shape[axis]:
        return None
    return reduce(case.expected, axis)
