"""Hypotheses about NaN and infinity."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from course.symptoms.case import Case, Claim, first_true
from course.symptoms.part import diagonals, one_axis, several_axes
from course.symptoms.words import plural

NAN = "NaN comes from 0/0, ∞ − ∞ or 0 · ∞."


def not_finite(cases: Sequence[Case]) -> str | None:
    """Says where yours is NaN or infinite, and the right result is not."""
    removes = any(np.isneginf(case.expected).any() for case in cases)
    for name, test, why in (
        ("NaN (not a number)", np.isnan, NAN),
        ("∞", np.isposinf, "A number was too large, or was divided by 0."),
        ("−∞", np.isneginf, "log(0) is −∞, and a mask adds −∞."),
    ):
        if removes and test is np.isneginf:
            continue
        marked = [(c, surplus(c, test)) for c in cases]
        if any(mask.any() for _, mask in marked):
            return f"{where(name, marked)} {why}"
    return None


def surplus(case: Case, test: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Where yours passes a test and the right result does not."""
    found = test(case.yours)
    return found & ~test(case.expected) if case.shaped else found


def where(name: str, marked: list[tuple[Case, np.ndarray]]) -> str:
    """Says where the marked numbers are."""
    having = [(case, mask) for case, mask in marked if mask.any()]
    if all(mask.all() for _, mask in having):
        told = f"Every number of yours is {name}"
        return told + (
            "." if len(having) == len(marked) else f" in {having[0][0].call}."
        )
    case, mask = having[0]
    told = f"{int(mask.sum())} of {mask.size} numbers are {name} in {case.call}."
    if not all(case.shaped for case, _ in marked):
        return told
    cases = [as_mask(case, mask) for case, mask in marked]
    largest = max((c for c in cases if not c.right), key=lambda c: c.expected.size)
    found = first_true((one_axis, several_axes, diagonals), cases, largest)
    if not found:
        return told
    rest = any((case.wrong & ~mask).any() for case, mask in marked)
    others = "Some others are wrong." if rest else "All others are right."
    return f"Yours has {name} in places. {finite_words(found)} {others}"


def as_mask(case: Case, mask: np.ndarray) -> Case:
    """A case in which just the marked numbers are wrong."""
    return case.changed(expected=np.zeros(mask.shape), yours=np.where(mask, 9.0, 0.0))


def finite_words(text: str) -> str:
    """A sentence about right and wrong numbers, as one about finite ones."""
    for old, new in (
        ("Yours differs", "It has them"),
        ("Yours is right", "Its numbers are finite"),
        ("differs", "has them"),
        ("differ", "have them"),
        ("is right", "is finite"),
        ("are right", "are finite"),
    ):
        text = text.replace(old, new)
    return text


def hidden(case: Case, value: str = "") -> tuple[np.ndarray, np.ndarray] | None:
    """Which numbers the right result and yours remove: by −inf, or by probability 0.

    The right result has such a number, or ``value`` says which it may have.
    """
    if not case.shaped or not case.expected.ndim:
        return None
    if value == "−inf" or np.isneginf(case.expected).any():
        return np.isneginf(case.expected), np.isneginf(case.yours)
    total = case.expected.sum(-1)
    if (case.expected >= 0).all() and np.allclose(total, 1) and case.expected.size > 2:
        return case.expected == 0, case.yours == 0
    return None


def removed(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours removes nothing, everything, or just the others."""
    found = hidden(case)
    if found is None or not found[0].any() or np.array_equal(*found):
        return
    value = "−inf" if np.isneginf(case.expected).any() else "0"
    yield claim(
        f"Yours is {value} nowhere, so it removes nothing.",
        value,
        lambda e, y: not y.any(),
    )
    yield claim(
        f"Yours is {value} everywhere, so it removes all.", value, lambda e, y: y.all()
    )
    yield claim(
        f"Yours is {value} just where it must not be, and nowhere else.",
        value,
        lambda e, y: np.array_equal(y, ~e),
    )


def removed_number(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours keeps some numbers more or fewer than right."""
    found = hidden(case)
    if found is None or np.array_equal(*found):
        return
    value = "−inf" if np.isneginf(case.expected).any() else "0"
    extra = np.unique((~found[1]).sum(-1) - (~found[0]).sum(-1))
    if len(extra) == 1 and extra[0]:
        count, more = abs(int(extra[0])), "more" if extra[0] > 0 else "fewer"
        noun = "number" if count == 1 else "numbers"
        row = f" in each {case.axes[-2]}" if len(case.axes) > 1 else ""
        yield claim(
            f"Yours keeps {count} {noun} {more} than right{row}: those that are not "
            f"{value}.",
            value,
            lambda e, y: ((~y).sum(-1) - (~e).sum(-1) == extra[0]).all(),
        )
    yield claim(
        f"Yours keeps too many {plural(case.axes[-1])}: of those that have to be "
        f"{value}, some are not.",
        value,
        lambda e, y: (~y | e).all(),
    )
    yield claim(
        f"Yours keeps too few {plural(case.axes[-1])}: of those that have to stay, "
        f"some are {value}.",
        value,
        lambda e, y: (~e | y).all(),
    )


def claim(
    text: str, value: str, test: Callable[[np.ndarray, np.ndarray], object]
) -> Claim:
    """A claim about what is removed; cases that remove nothing do not count."""

    def holds(case: Case) -> bool | None:
        found = hidden(case, value)
        if found is None:
            return None
        return (case.right and not found[0].any()) or bool(test(*found))

    return Claim(text, holds, 1)
