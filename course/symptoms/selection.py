"""Hypotheses: yours has other rows or channels of a known array than the right ones."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from course.symptoms.case import Case, Claim, differing
from course.symptoms.words import plural, shown

Places = tuple[np.ndarray, np.ndarray]  # the chosen places in yours and in the right


def selected(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is chosen from a known array in another way."""
    for name in case.arrays:
        for noun in ("row", *case.axes):
            found = places(case, name, noun)
            if found is not None and not np.array_equal(*found):
                yield from claims(cases, case, name, noun, found)


def claims(
    cases: Sequence[Case], case: Case, name: str, noun: str, found: Places
) -> Iterator[Claim]:
    """What may be said of the places, the most special first."""
    yours, right = found
    many = plural(noun)

    def claim(text: str, test: Callable[[np.ndarray, np.ndarray, int], bool]) -> Claim:
        return Claim(text, partial(chosen, name=name, noun=noun, test=test))

    for step in dict.fromkeys([1, -1, int(yours[0] - right[0])]):
        side = "after" if step > 0 else "before"
        far = "" if abs(step) == 1 else f"{abs(step)} {many} "
        yield claim(
            f"Each {noun} of yours is the {noun} of {name} {far}{side} the right one.",
            partial(is_moved, step=step),
        )
    yield claim(
        f"Every {noun} of yours is {noun} {yours[0]} of {name}.",
        lambda a, b, size: bool((a == yours[0]).all()),
    )
    yield claim(
        f"Yours has the first {many} of {name}, in their order.",
        lambda a, b, size: np.array_equal(a, np.arange(len(a))),
    )
    text = f"Yours has other {many} of {name} than the right ones"
    if len(differing(cases)) == 1:
        text += f": {shown(yours)} in place of {shown(right)}"
    yield claim(f"{text}.", lambda a, b, size: True)


def is_moved(yours: np.ndarray, right: np.ndarray, size: int, step: int) -> bool:
    """True if each place is so many after the right one; the first follows the last."""
    return step != 0 and bool(((yours - right - step) % size == 0).all())


def chosen(
    case: Case,
    name: str,
    noun: str,
    test: Callable[[np.ndarray, np.ndarray, int], bool],
) -> bool | None:
    """Says whether the chosen places pass a test."""
    if name not in case.arrays:
        return None
    found = places(case, name, noun)
    if found is None:
        return False
    axis = 0 if noun == "row" else case.axes.index(noun)
    return test(*found, case.arrays[name].shape[axis])


def places(case: Case, name: str, noun: str) -> Places | None:
    """The places of a known array that yours and the right result are made of.

    A row is one of a table's; any other noun is an axis that the known array has, too,
    and longer.
    """
    array, shape = case.arrays[name], case.expected.shape
    if not case.shaped or not shape or not np.isfinite(case.yours).all():
        return None
    if noun == "row":
        if array.ndim != 2 or shape[-1] != array.shape[1] or len(shape) < 2:
            return None
        table, results = array, (case.yours, case.expected)
        rows = [x.reshape(-1, shape[-1]) for x in results]
    else:
        axis = case.axis(noun)
        if axis is None or array.ndim != len(shape) or array.shape[axis] <= shape[axis]:
            return None
        if np.delete(array.shape, axis).tolist() != np.delete(shape, axis).tolist():
            return None
        table, *rows = (along(x, axis) for x in (array, case.yours, case.expected))
    yours, right = (find(x, table) for x in rows)
    return None if yours is None or right is None else (yours, right)


def along(x: np.ndarray, axis: int) -> np.ndarray:
    """One row for each place of an axis."""
    return np.moveaxis(x, axis, 0).reshape(x.shape[axis], -1)


def find(rows: np.ndarray, table: np.ndarray) -> np.ndarray | None:
    """Where each row stands in a table; None if one does not."""
    weights = np.sqrt(np.arange(2.0, 2.0 + table.shape[1]))
    marks, wanted = table @ weights, rows @ weights
    order = np.argsort(marks)
    ordered = marks[order]
    if len(marks) < 2 or np.diff(ordered).min() < 1e-3:
        return None
    middles = (ordered[1:] + ordered[:-1]) / 2
    found = order[np.searchsorted(middles, wanted)]
    scale = max(1.0, float(np.abs(table).max()))
    near = np.abs(table[found] - rows) <= 1e-5 * scale
    return found if near.all() else None
