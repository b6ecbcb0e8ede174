"""Hypotheses: what decides whether a number, or a call, is right."""

from collections.abc import Iterator, Sequence
from functools import partial
from math import lgamma, log

import numpy as np

from course.symptoms.case import Case, Claim, differing
from course.symptoms.part import along
from course.symptoms.words import number, of_every, plural


def by_id(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The wrong places are those of one id, or of the lowest or highest ids."""
    for name, array in case.arrays.items():
        if array.ndim < case.expected.ndim and np.array_equal(array, np.rint(array)):
            yield from by_quantity(cases, name)


def by_number(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The wrong places are those where a known quantity is above or below a number."""
    for name in ["the right result", *case.arrays]:
        yield from by_quantity(cases, name)


def by_quantity(cases: Sequence[Case], name: str) -> Iterator[Claim]:
    """The wrong places are those where one quantity is above or below a number."""
    found = [value_at(c, name) for c in differing(cases)]
    pairs = [pair for pair in found if pair is not None]
    if len(pairs) < len(found):
        return
    values = np.concatenate([array.ravel() for array, _ in pairs])
    marks = np.concatenate([wrong.ravel() for _, wrong in pairs])
    if not chance_is_small(marks):
        return
    low, high = values[marks], values[~marks]
    for above, border in ((True, limit(high, low)), (False, limit(low, high))):
        if border is not None:
            side = {0.0: "positive" if above else "negative"}.get(border)
            side = side or f"{'above' if above else 'below'} {number(border)}"
            if np.ptp(low) == 0:
                side = number(float(low[0]))
            yield Claim(
                f"Yours differs only where {name} is {side}.",
                partial(beyond, name=name, border=border, above=above),
                1,
            )


def value_at(case: Case, name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """A known array and where it meets a wrong number, in the array's own shape.

    The array may have the first axes of the result, such as the ids of the tokens.
    """
    array = case.expected if name == "the right result" else case.arrays.get(name)
    if array is None or not case.shaped:
        return None
    if array.shape != case.expected.shape[: array.ndim]:
        return None
    return array, case.wrong.any(tuple(range(array.ndim, case.wrong.ndim)))


def limit(below: np.ndarray, above: np.ndarray) -> float | None:
    """A number between two sets of numbers; None if there is none."""
    low, high = below.max(), above.min()
    if not low < high:
        return None
    if low <= 0 <= high:
        return 0.0
    whole = np.array_equal(below, np.round(below))
    return float(low) if whole else float(low + high) / 2


def beyond(case: Case, name: str, border: float, above: bool) -> bool | None:
    """Says whether the wrong places are those beyond a border."""
    found = value_at(case, name)
    if found is None:
        return None
    values, wrong = found
    inside = values > border if above else values < border
    return bool((inside == wrong)[values != border].all())


def chance_is_small(marks: np.ndarray) -> bool:
    """True if a random order would hardly ever separate the marks."""
    n, k = len(marks), int(marks.sum())
    return 0 < k < n and lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) > log(2e3)


def right_part(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The first or last place of an axis is always right; others are so at times."""
    for name in case.axes:
        for word, place in (("first", 0), ("last", -1)):
            text = (
                f"The {word} {name}{of_every(case, name)} is right; some others differ."
            )
            yield Claim(text, partial(right_at, name=name, place=place, cases=cases), 1)


def right_at(case: Case, name: str, place: int, cases: Sequence[Case]) -> bool | None:
    """Says whether one place is right, while half of the others are wrong."""
    axis = case.axis(name)
    if axis is None or not case.shaped:
        return None
    if case.wrong.shape[axis] < 2:
        return case.right
    if case.wrong.take(place, axis).any():
        return False
    wrong = along(case.wrong, axis)
    size = sum(
        c.expected.size // (c.length(name) or 1) for c in cases if c.length(name)
    )
    return bool(wrong.mean() > 0.3) and size >= 6


def whole_calls(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Calls are right whose axis or known number has one value, and no others."""
    right = [c for c in cases if c.right]
    wrong = differing(cases)
    if not right or len(wrong) < 1 or len(cases) < 3:
        return
    found: list[str] = []
    for name in case.axes:
        sizes = {c.length(name) for c in right}
        if sizes == {1} and all((c.length(name) or 0) > 1 for c in wrong):
            found.append(f"there is one {name}, and differs for more {plural(name)}")
    for name in case.numbers:
        values = {c.numbers.get(name) for c in right}
        others = {c.numbers.get(name) for c in wrong}
        if values in ({0.0}, {1.0}) and None not in others and not values & others:
            value = int(values == {1.0})
            found.append(f"{name} is {value}, and differs for other values")
    if len(found) == 1:
        yield Claim(f"Yours is right where {found[0]}.", lambda case: True, 1)
