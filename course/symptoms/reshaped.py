"""Hypotheses: a reshape in place of a transpose; a sum in place of each number."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations

import numpy as np

from course.symptoms.case import Case, Claim
from course.symptoms.words import plural


def reshaped(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """A reshape stands where two axes, or groups of one, have to be exchanged."""
    yield from exchanged_by_reshape(case.axes, None, None)
    for name in case.axes[::-1]:
        n = case.length(name) or 0
        for groups in (g for g in range(2, n // 2 + 1) if n % g == 0):
            place = case.axes.index(name)
            names = [*case.axes[:place], f"group of {plural(name)}", *case.axes[place:]]
            yield from exchanged_by_reshape(names, name, groups)


def exchanged_by_reshape(
    names: Sequence[str], split: str | None, groups: int | None
) -> Iterator[Claim]:
    """Two of the axes are exchanged, and the result is cut into the right shape."""
    for i, j in combinations(range(len(names)), 2):
        order = list(range(len(names)))
        order[i], order[j] = j, i
        told = f"[{', '.join(names[k] for k in order)}]"
        many = f" ({groups} groups)" if groups else ""
        need = (
            f"reshape moves no number, so {names[i]} and {names[j]} need a transpose."
        )
        for back, words in ((False, "in the order"), (True, "cut as if they lay in")):
            yield Claim(
                f"Yours has the right numbers, {words} {told}{many}: {need}",
                partial(is_mixed, split=split, groups=groups, i=i, j=j, back=back),
            )


def is_mixed(
    case: Case, split: str | None, groups: int | None, i: int, j: int, back: bool
) -> bool | None:
    """Says whether yours has two axes exchanged by reshape."""
    if split not in (None, *case.axes) or len(case.axes) < 2:
        return None
    return case.fits(mixed(case, split, groups, i, j, back))


def mixed(
    case: Case, split: str | None, groups: int | None, i: int, j: int, back: bool
) -> np.ndarray | None:
    """The right result with two axes exchanged by reshape."""
    expected, shape = case.expected, list(case.expected.shape)
    if split is not None and groups is not None:
        place = case.axes.index(split)
        if shape[place] % groups:
            return None
        shape[place : place + 1] = [groups, shape[place] // groups]
    if j >= len(shape):
        return None
    if not back:
        return expected.reshape(shape).swapaxes(i, j).reshape(expected.shape)
    shape[i], shape[j] = shape[j], shape[i]
    return expected.reshape(shape).swapaxes(i, j).reshape(expected.shape)


def accumulated(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Sums and means along an axis, sorted numbers, the same numbers anywhere."""
    changes: list[tuple[str, Callable[[np.ndarray, int], np.ndarray]]] = [
        ("Yours is the running sum of the right result along the {}.", np.cumsum),
        ("Yours has the sum over the {} in place of each.", whole_sum),
        ("Yours has the mean over the {} in place of each.", whole_mean),
        ("Yours has the maximum over the {} in place of each.", whole_max),
        ("Yours is the right result sorted along the {}, upwards.", np.sort),
        ("Yours is the right result sorted along the {}, downwards.", downwards),
    ]
    for name in case.axes:
        for text, change in changes:

            def holds(
                case: Case,
                name: str = name,
                change: Callable[[np.ndarray, int], np.ndarray] = change,
            ) -> bool | None:
                axis = case.axis(name)
                if axis is None:
                    return None
                return case.fits(change(case.expected, axis))

            yield Claim(text.format(plural(name)), holds)


def whole_sum(x: np.ndarray, axis: int) -> np.ndarray:
    """The sum over an axis, everywhere along it."""
    return np.broadcast_to(x.sum(axis, keepdims=True), x.shape)


def whole_mean(x: np.ndarray, axis: int) -> np.ndarray:
    """The mean over an axis, everywhere along it."""
    return np.broadcast_to(x.mean(axis, keepdims=True), x.shape)


def whole_max(x: np.ndarray, axis: int) -> np.ndarray:
    """The maximum over an axis, everywhere along it."""
    return np.broadcast_to(x.max(axis, keepdims=True), x.shape)


def downwards(x: np.ndarray, axis: int) -> np.ndarray:
    """Sorted along an axis, the largest first."""
    return np.flip(np.sort(x, axis), axis)
