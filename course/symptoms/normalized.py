"""Hypotheses: a layer normalization is missing, is one too many, or is another."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from course.symptoms.case import Case, Claim
from course.symptoms.size import own_line, telling
from course.symptoms.values import has_mean_zero

LEAST = 5  # channels: two of them fix a token's factor and number


def plainly(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """One result has the mean 0 in each row, and the other one is moved and scaled."""
    if case.expected.ndim < 2:
        return
    noun = case.axes[-2]
    for one, other, mine in (
        ("yours", "that of the right result", True),
        ("the right result", "that of yours", False),
    ):
        text = f"Each {noun} of {one} has the mean 0, and {other} has not; otherwise "
        text += "they are equal, or differ by a factor."
        yield Claim(text, partial(is_plain, mine=mine), 8)


def is_plain(case: Case, mine: bool) -> bool:
    """Says whether one result alone has the mean 0, and is the other one moved."""
    if case.right or not case.shaped or case.expected.ndim < 2:
        return False
    zero = [has_mean_zero(x, -1) for x in (case.yours, case.expected)]
    return zero == [mine, not mine] and are_lines(case, case.yours, case.expected)


def normalized(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The right result, or yours, is a layer normalization of the other."""
    pairs = list(weights(case))
    for weight, bias in pairs:
        holds = partial(is_normalized, weight=weight, bias=bias)
        text = f"A layer normalization is missing: that with {weight} and {bias}."
        yield Claim(text, partial(holds, mine=False), 8)
        text = f"Yours is normalized once more, with {weight} and {bias}."
        yield Claim(text, partial(holds, mine=True), 8)
        for name, array in case.arrays.items():
            if array.shape == case.expected.shape and array.ndim > 1:
                text = f"Yours is {name} normalized with {weight} and {bias}."
                yield Claim(text, partial(holds, mine=True, raw=name), 8)
    for mine in pairs:
        for right in pairs:
            if mine != right:
                text = f"Yours has {mine[0]} and {mine[1]} where {right[0]} and "
                text += f"{right[1]} belong."
                yield Claim(text, partial(is_exchanged, mine=mine, right=right), 4)


def is_normalized(
    case: Case, weight: str, bias: str, mine: bool, raw: str = ""
) -> bool | None:
    """Says whether one result is a layer normalization of the other, or of ``raw``.

    It is not where both results are normalizations of the same numbers.
    """
    if vectors(case, weight, bias) is None or (raw and raw not in case.arrays):
        return None
    done, start = case.yours, case.expected
    if not mine:
        done, start = start, done
    start = case.arrays[raw] if raw else start
    if case.right or not case.shaped or start.shape != done.shape:
        return False
    yours, expected = (
        undone(case, x, weight, bias) for x in (case.yours, case.expected)
    )
    plain = yours if mine else expected
    if not are_lines(case, plain, start):
        return False
    return not are_lines(case, yours, expected)


def are_lines(case: Case, one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """True if each row of one array is that of the other, times and plus a number."""
    if one is None or other is None or one.ndim < 2:
        return False
    pair = case.changed(yours=one, expected=other, tolerance=1e-4)
    over = (one.ndim - 1,)
    return telling(pair, over, LEAST) and pair.fits(own_line(pair, over))


def is_exchanged(
    case: Case, mine: tuple[str, str], right: tuple[str, str]
) -> bool | None:
    """Says whether yours has one pair of weight and bias in place of another."""
    if vectors(case, *mine) is None or vectors(case, *right) is None:
        return None
    yours = undone(case, case.yours, *mine)
    expected = undone(case, case.expected, *right)
    if yours is None or expected is None or not case.shaped or case.right:
        return False
    return case.changed(yours=yours, tolerance=1e-4).fits(expected)


def weights(case: Case) -> Iterator[tuple[str, str]]:
    """The names of known pairs of a weight and a bias, one number for each channel."""
    for weight, array in case.arrays.items():
        bias = weight.replace("weight", "bias")
        if bias != weight and bias in case.arrays and array.shape == vector(case):
            yield weight, bias


def before(case: Case, weight: str, bias: str) -> Case | None:
    """The case before a weight and a bias are applied; None if it lacks them."""
    if not case.shaped:
        return None
    yours, right = (undone(case, x, weight, bias) for x in (case.yours, case.expected))
    if yours is None or right is None:
        return None
    return case.changed(yours=yours, expected=right, arrays={}, tolerance=1e-4)


def undone(case: Case, x: np.ndarray, weight: str, bias: str) -> np.ndarray | None:
    """Numbers without a weight and a bias; None if the case lacks them."""
    found = vectors(case, weight, bias)
    return None if found is None else (x - found[1]) / found[0]


def vectors(case: Case, weight: str, bias: str) -> tuple[np.ndarray, ...] | None:
    """A weight and a bias with one number for each channel; None if there are none."""
    w, b = case.arrays.get(weight), case.arrays.get(bias)
    if w is None or b is None or not w.shape == b.shape == vector(case):
        return None
    return None if (np.abs(w) < 1e-3).any() else (w, b)


def vector(case: Case) -> tuple[int, ...]:
    """The shape of one number for each channel."""
    return case.expected.shape[-1:]
