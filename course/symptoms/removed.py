"""Hypotheses: yours removes other numbers, by −inf or by a probability of 0."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from course.symptoms.case import Case, Claim
from course.symptoms.size import sums_to_one
from course.symptoms.words import number, plural

Pair = tuple[np.ndarray, np.ndarray]  # what the right result removes, and what yours


def sign(cases: Sequence[Case]) -> float | None:
    """The number that stands for a removed one, where there are such."""
    both = [x for c in cases for x in (c.expected, c.yours)]
    if any(np.isneginf(x).any() for x in both):
        return -np.inf
    if all(x.ndim and sums_to_one(x, -1) for x in both):  # probabilities
        return 0.0
    return None


def hidden(case: Case, value: float) -> Pair | None:
    """Which numbers the right result and yours remove."""
    if not case.shaped or not case.expected.ndim:
        return None
    return case.expected == value, case.yours == value


def removed(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours removes nothing, everything, or just the others."""
    value = sign(cases)
    found = None if value is None else hidden(case, value)
    if value is None or found is None:
        return
    if np.array_equal(*found):
        yield from kept_alike(case, value)
    elif found[0].any():
        text, holds = f"Yours is {number(value)}", partial(claim, value=value)
        yield holds(f"{text} nowhere, so it removes nothing.", lambda e, y: not y.any())
        yield holds(f"{text} everywhere, so it removes all.", lambda e, y: y.all())
        text = f"{text} just where it must not be, and nowhere else."
        yield holds(text, lambda e, y: np.array_equal(y, ~e))


def kept_alike(case: Case, value: float) -> Iterator[Claim]:
    """Yours removes the right numbers, and all others are the same."""
    kept = case.yours[case.yours != value]
    if kept.size > 1 and (case.yours == value).any() and (kept == kept[0]).all():
        text = f"Yours is {number(value)} in the right places, but every other number "
        text += f"of yours is {number(kept[0])}."
        filled = float(kept[0])
        yield Claim(
            text,
            lambda c: c.fits(np.where(c.expected == value, value, filled)),
        )


def removed_number(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours keeps some numbers more or fewer than right."""
    value = sign(cases)
    found = None if value is None else hidden(case, value)
    if value is None or found is None or np.array_equal(*found):
        return
    many, holds = plural(case.axes[-1]), partial(claim, value=value)
    extra = np.unique((~found[1]).sum(-1) - (~found[0]).sum(-1))
    if len(extra) == 1 and extra[0]:
        noun = case.axes[-1] if abs(extra[0]) == 1 else many
        more = f"{abs(int(extra[0]))} {noun} {'more' if extra[0] > 0 else 'fewer'}"
        row = f" in each {case.axes[-2]}" if len(case.axes) > 1 else ""
        yield holds(
            f"Yours keeps {more} than right{row}: those that are not {number(value)}.",
            lambda e, y: ((~y).sum(-1) - (~e).sum(-1) == extra[0]).all(),
        )
    yield holds(
        f"Yours keeps too many {many}: of those that have to be {number(value)}, some "
        "are not.",
        lambda e, y: (~y | e).all(),
    )
    yield holds(
        f"Yours keeps too few {many}: of those that have to stay, some are "
        f"{number(value)}.",
        lambda e, y: (~e | y).all(),
    )


def claim(
    text: str, test: Callable[[np.ndarray, np.ndarray], object], value: float
) -> Claim:
    """A claim about what is removed; right cases that remove nothing agree."""

    def holds(case: Case) -> bool | None:
        found = hidden(case, value)
        if found is None:
            return None
        return (case.right and not found[0].any()) or bool(test(*found))

    return Claim(text, holds, 1)
