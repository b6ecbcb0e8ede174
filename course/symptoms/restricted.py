"""Cases made of a case: its wrong part, and what it was before the last operation."""

from collections.abc import Iterator, Sequence

import numpy as np

from course.symptoms.case import Case


def restricted(cases: Sequence[Case], largest: Case) -> tuple[list[Case], Case]:
    """All wrong cases, cut to the places along each axis that have a wrong number."""
    small = {id(case): cut(case) for case in cases if not case.right}
    return list(small.values()), small[id(largest)]


def cut(case: Case) -> Case:
    """A case without the places along an axis at which all numbers are right."""
    wrong, axes = case.wrong, range(case.wrong.ndim)
    kept = [wrong.any(tuple(i for i in axes if i != axis)) for axis in axes]
    places = np.ix_(*kept)

    def part(array: np.ndarray) -> np.ndarray:
        return np.broadcast_to(array, case.expected.shape)[places]

    arrays: dict[str, np.ndarray] = {}
    for name, array in case.quantities:
        arrays.setdefault(name, part(array))
    return case.changed(
        expected=part(case.expected), yours=part(case.yours), arrays=arrays
    )


def weights(case: Case) -> Iterator[tuple[str, str]]:
    """The names of known pairs of a weight and a bias, one number for each channel."""
    for weight, array in case.arrays.items():
        bias = weight.replace("weight", "bias")
        if bias != weight and bias in case.arrays and array.shape == vector(case):
            yield weight, bias


def before(case: Case, weight: str, bias: str) -> Case | None:
    """The case before a weight and a bias are applied; None if it lacks them."""
    w, b = case.arrays.get(weight), case.arrays.get(bias)
    if w is None or b is None or not w.shape == b.shape == vector(case):
        return None
    if not case.shaped or (np.abs(w) < 1e-3).any():
        return None
    yours, expected = (case.yours - b) / w, (case.expected - b) / w
    return case.changed(yours=yours, expected=expected, arrays={}, tolerance=1e-4)


def vector(case: Case) -> tuple[int, ...]:
    """The shape of one number for each channel."""
    return case.expected.shape[-1:]
