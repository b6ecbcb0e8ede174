"""Hypotheses: a layer normalization is missing, stands once too often, or is another."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from course.symptoms.case import Case, Claim
from course.symptoms.size import own_line, telling

LEAST = 5  # channels: two of them fix a token's factor and number


def normalized(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The right result, or yours, is a layer normalization of the other."""
    pairs = list(weights(case))
    for weight, bias in pairs:
        text = f"A layer normalization is missing: that with {weight} and {bias}."
        yield Claim(
            text, partial(is_normalized, weight=weight, bias=bias, mine=False), 8
        )
        text = f"Yours is normalized once more, with {weight} and {bias}."
        yield Claim(
            text, partial(is_normalized, weight=weight, bias=bias, mine=True), 8
        )
    for mine in pairs:
        for right in pairs:
            if mine != right:
                text = f"Yours has {mine[0]} and {mine[1]} where {right[0]} and "
                text += f"{right[1]} belong."
                yield Claim(text, partial(is_exchanged, mine=mine, right=right), 4)


def is_normalized(case: Case, weight: str, bias: str, mine: bool) -> bool | None:
    """Says whether one result is the other one's layer normalization."""
    if vectors(case, weight, bias) is None:
        return None
    if case.right or not case.shaped or case.expected.ndim < 2:
        return False
    done, raw = case.expected, case.yours
    if mine:
        done, raw = raw, done
    plain = undone(case, done, weight, bias)
    if plain is None:
        return False
    line = case.changed(yours=plain, expected=raw, tolerance=1e-4)
    over = (case.expected.ndim - 1,)
    return telling(line, over, LEAST) and line.fits(own_line(line, over))


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
