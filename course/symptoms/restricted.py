"""The part of a case that is wrong, as a case of its own."""

from collections.abc import Sequence

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
