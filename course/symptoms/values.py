"""Hypotheses about the values themselves, and along which axes they change."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from course.symptoms.case import Case, Claim
from course.symptoms.words import listed, number, plural


def replaced(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The right result has two values, as a mask has; yours has another for each."""
    values = np.unique(case.expected)
    if len(values) != 2 or not case.shaped or case.expected.size < 4:
        return
    mapped = {float(v): case.yours[case.expected == v] for v in values[::-1]}
    if any((found != found[0]).any() for found in mapped.values()):
        return
    table = {value: float(found[0]) for value, found in mapped.items()}
    changed = [(a, b) for a, b in table.items() if a != b]
    told = listed([f"{number(b)} where {number(a)} is right" for a, b in changed])
    yield Claim(f"Yours is {told}.", partial(is_mapped, table=table), 1)


def is_mapped(case: Case, table: dict[float, float]) -> bool:
    """Says whether each right value has this value in yours."""
    if not case.shaped or not set(np.unique(case.expected).tolist()) <= set(table):
        return False
    return all((case.yours[case.expected == a] == b).all() for a, b in table.items())


def varying(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours changes along an axis and the right result does not, or the reverse."""
    for name in case.axes[::-1]:
        for text, mine in (
            (f"Yours is the same for every {name}; the right result is not.", True),
            (f"Yours changes from {name} to {name}; the right result does not.", False),
        ):
            yield Claim(text, partial(varies, name=name, mine=mine), 1)


def varies(case: Case, name: str, mine: bool) -> bool | None:
    """Says whether one of the results alone changes along an axis."""
    axis = case.axis(name)
    if axis is None or not case.shaped:
        return None
    if case.right or case.expected.shape[axis] < 2:
        return case.right and case.expected.shape[axis] < 2
    same = [is_same(x, axis) for x in (case.yours, case.expected)]
    return same == [mine, not mine]


def is_same(x: np.ndarray, axis: int) -> bool:
    """True if all places along an axis are equal within rounding."""
    first = x.take([0], axis)
    return bool(np.allclose(x, first, rtol=1e-5, atol=1e-6))


def centred(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours has the mean 0 along another axis than the right result."""
    for right in case.axes[::-1]:
        for name in case.axes:
            if name != right:
                text = (
                    f"Yours has the mean 0 along the {plural(name)}; the right result "
                    f"has it along the {plural(right)}."
                )
                yield Claim(text, partial(is_centred, name=name, right=right), 4)


def is_centred(case: Case, name: str, right: str) -> bool | None:
    """Says whether yours has the mean 0 along another axis."""
    i, j = case.axis(name), case.axis(right)
    if i is None or j is None:
        return None
    if not case.shaped or not has_mean_zero(case.expected, j):
        return False
    return has_mean_zero(case.yours, i) and (
        case.right or not has_mean_zero(case.yours, j)
    )


def has_mean_zero(x: np.ndarray, axis: int) -> bool:
    """True if the mean along an axis is 0 everywhere."""
    return x.size > 0 and bool((np.abs(x.mean(axis)) < 1e-4 * np.abs(x).max()).all())
