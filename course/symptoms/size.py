"""Hypotheses: scaled by a number or moved by one."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from course.symptoms.case import Case, Claim
from course.symptoms.words import (
    in_full,
    inverse_name,
    named_number,
    names_of,
    number,
    plural,
    sizes_of,
)

Cut = Callable[[np.ndarray], np.ndarray]


def constant(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Every number of yours is the same."""
    value = float(case.yours.flat[0])
    if case.expected.size < 2:
        return
    text = f"Every number of yours is {number(value)}."
    yield Claim(text, lambda case: case.fits(np.full_like(case.expected, value)))


def scaled(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is the right result times one number."""
    ratio = slope(case.expected, case.yours)
    if not ratio or not case.fits(ratio * case.expected):
        return
    if abs(ratio + 1) < 1e-5:
        yield Claim("Yours is the right result with all signs exchanged.", times(-1.0))
    names = names_of(case, ratio)
    text = f"Yours is the right result times {in_full(case, ratio)}."
    yield Claim(text, times(ratio), 3)
    for name in (*names, *sizes_of(case, ratio)):
        text = f"Yours is the right result times {name}."
        if name.startswith("1/"):
            text = f"Yours is the right result divided by {inverse_name(name)}."
        yield Claim(text, partial(named_times, name=name))


def times(ratio: float) -> Callable[[Case], bool]:
    """Says whether yours is the right result times a number."""
    return lambda case: case.fits(ratio * case.expected)


def named_times(case: Case, name: str) -> bool | None:
    """Says whether yours is the right result times a number that has a name."""
    value = named_number(case, name)
    return None if value is None else case.fits(value * case.expected)


def moved(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is the right result plus one number."""
    difference = mean(case.yours - case.expected)
    if not difference or not case.fits(case.expected + difference):
        return
    for sign, word in ((1, "plus"), (-1, "minus")):
        names = names_of(case, sign * difference)
        value = in_full(case, sign * difference)
        if sign * difference > 0:
            text = f"Yours is the right result {word} {value}, everywhere."
            yield Claim(text, plus(difference), 3)
        for name in names:
            text = f"Yours is the right result {word} {name}, everywhere."
            yield Claim(text, partial(named_plus, name=name, sign=sign))


def plus(difference: float) -> Callable[[Case], bool]:
    """Says whether yours is the right result plus a number."""
    return lambda case: case.fits(case.expected + difference)


def named_plus(case: Case, name: str, sign: int) -> bool | None:
    """Says whether yours is the right result plus a number that has a name."""
    value = named_number(case, name)
    return None if value is None else case.fits(case.expected + sign * value)


def scaled_in_parts(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Each row, each channel or each text has a factor, or a number, of its own."""
    if len(case.axes) < 2:
        return
    for noun in dict.fromkeys([case.axes[-2], case.axes[-1], case.axes[0]]):
        text = f"Each {noun} of yours is the right one"
        for words, change, needs in (
            ("times a factor of its own", own_factor, 4),
            ("plus a number of its own", own_number, 4),
            ("times a factor and plus a number of its own", own_line, 8),
        ):
            yield Claim(f"{text} {words}.", partial(is_own, noun, change), needs)


def is_own(
    noun: str, change: Callable[[Case, tuple[int, ...]], np.ndarray | None], case: Case
) -> bool | None:
    """Says whether each place of an axis changes the right result in its own way."""
    over = reduced(case, noun)
    if over is None:
        return None
    if not telling(case, over):
        return case.right
    return not case.right and case.fits(change(case, over))


def reduced(case: Case, noun: str) -> tuple[int, ...] | None:
    """The axes along which nothing of a place's own changes; None if it has no place.

    A row is one along the last axis alone; for the first axis and the last, all other
    axes count.
    """
    axis = case.axis(noun)
    if axis is None or len(case.axes) < 2:
        return None
    if axis == len(case.axes) - 2:
        return (len(case.axes) - 1,)
    return tuple(i for i in range(len(case.axes)) if i != axis)


def own_factor(case: Case, over: tuple[int, ...]) -> np.ndarray:
    """The right result with the best factor for each place."""
    e, y = finite_pair(case)
    factors = (e * y).sum(over, keepdims=True) / (e * e).sum(over, keepdims=True)
    return np.where(np.isfinite(factors), factors, 0.0) * case.expected


def own_number(case: Case, over: tuple[int, ...]) -> np.ndarray:
    """The right result plus the best number for each place."""
    e, y = finite_pair(case)
    return case.expected + (y - e).mean(over, keepdims=True)


def own_line(case: Case, over: tuple[int, ...]) -> np.ndarray | None:
    """The right result with the best factor and number for each place."""
    if not telling(case, over, 5) or not np.isfinite(case.yours).all():
        return None
    e, y = (x - x.mean(over, keepdims=True) for x in (case.expected, case.yours))
    factors = (e * y).sum(over, keepdims=True) / (e * e).sum(over, keepdims=True)
    return case.yours - y + factors * e


def telling(case: Case, over: tuple[int, ...], least: int = 3) -> bool:
    """True if one factor or number has to explain at least so many that vary."""
    e, _ = finite_pair(case)
    count = int(np.prod([case.expected.shape[i] for i in over]))
    spread = np.ptp(e, over) > 1e-3 * max(1e-3, float(np.abs(e).max(initial=0.0)))
    return count >= least and bool(spread.mean() > 0.5)


def finite_pair(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """The right numbers and yours, 0 where one of them is not finite."""
    both = np.isfinite(case.expected) & np.isfinite(case.yours)
    return np.where(both, case.expected, 0.0), np.where(both, case.yours, 0.0)


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """The number by which x has to be multiplied to be nearest to y; 0 if none."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = (x[both], y[both]) if not both.all() else (x, y)
    square = float(np.vdot(x, x))
    return float(np.vdot(x, y)) / square if square else 0.0


def mean(x: np.ndarray) -> float:
    """The mean of the finite numbers; 0 if there are none."""
    x = x[np.isfinite(x)]
    return float(x.mean()) if x.size else 0.0


def sums(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours sums to 1 along another axis than the right result."""
    if len(case.axes) < 2 or not any(sums_to_one(case.expected, i) for i in axes(case)):
        return
    for right in case.axes[::-1]:
        for name in case.axes:
            if name != right:
                text = (
                    f"Yours sums to 1 along the {plural(name)}; it has to sum to 1 "
                    f"along the {plural(right)}. Look at the axis of the softmax."
                )
                yield Claim(text, partial(sums_elsewhere, name=name, right=right), 4)
    text = "All numbers of yours together sum to 1; every {} has to."
    yield Claim(text.format(case.axes[-2]), sums_together, 4)
    yield Claim(
        f"Yours does not sum to 1 along the {plural(case.axes[-1])}; the right "
        "result does, and its numbers are in the same proportions.",
        is_in_proportion,
        4,
    )


def is_in_proportion(case: Case) -> bool | None:
    """Says whether each row is the right one, but for its sum."""
    if not case.shaped or not sums_to_one(case.expected, -1):
        return False
    return is_own(case.axes[-2], own_factor, case)


def axes(case: Case) -> range:
    """The numbers of a case's axes."""
    return range(case.expected.ndim)


def sums_to_one(x: np.ndarray, axis: int) -> bool:
    """True if the numbers along an axis sum to 1."""
    total = x.sum(axis)
    return bool((x >= 0).all() and total.size and (np.abs(total - 1) < 1e-4).all())


def sums_elsewhere(case: Case, name: str, right: str) -> bool | None:
    """Says whether yours sums to 1 along another axis."""
    i, j = case.axis(name), case.axis(right)
    if i is None or j is None:
        return None
    if not case.shaped or not sums_to_one(case.expected, j):
        return False
    return sums_to_one(case.yours, i) and (case.right or not sums_to_one(case.yours, j))


def sums_together(case: Case) -> bool:
    """Says whether all numbers of yours sum to 1, and each row of the right ones."""
    if not case.shaped or not sums_to_one(case.expected, -1):
        return False
    return bool((case.yours >= 0).all() and abs(case.yours.sum() - 1) < 1e-4)


def rounded(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours has fewer digits than float32."""
    for text, cut, share in (
        ("Yours is the right result rounded to whole numbers.", np.round, 0.0),
        ("Yours is the right result rounded down to whole numbers.", np.floor, 0.0),
        ("Yours is the right result without its decimals.", np.trunc, 0.0),
        ("Yours has only the digits of float16.", half, 2.0**-9),
        ("Yours has only the digits of bfloat16.", brain, 2.0**-7),
    ):
        yield Claim(text, partial(has_digits, cut=cut, share=share), 4)


def has_digits(case: Case, cut: Cut, share: float) -> bool:
    """Says whether yours has only such digits, and is the right result otherwise."""
    if not case.shaped:
        return False
    if not share:
        return case.fits(cut(case.expected))
    e, y = case.expected, case.yours
    if (cut(e.astype(np.float32)) == e.astype(np.float32)).mean() > 0.5:
        return case.right  # such numbers have no more digits
    near = np.abs(y - e) <= share * np.abs(e) + 1e-6
    return bool((cut(y) == y).all() and near.all())


def half(x: np.ndarray) -> np.ndarray:
    """The numbers that float16 has."""
    return x.astype(np.float16).astype(np.float64)


def brain(x: np.ndarray) -> np.ndarray:
    """The numbers that bfloat16 has."""
    bits = x.astype(np.float32).view(np.uint32)
    kept = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return kept.view(np.float32).astype(np.float64)


def near(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours differs little, everywhere."""
    if not np.isfinite(case.yours).all() or not np.isfinite(case.expected).all():
        return
    spread = float(np.ptp(case.expected))
    if case.errors.max() < 0.05 * spread:
        largest = max(float(c.errors.max()) for c in cases if c.shaped)
        text = f"Yours is near the right result: it differs by at most {largest:.2g}. "
        text += "A constant, or a function's form, may be another one."
        yield Claim(
            text, lambda c: float(c.errors.max()) < 0.05 * np.ptp(c.expected), 4
        )
