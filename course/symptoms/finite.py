"""Hypotheses about NaN and infinity."""

from collections.abc import Callable, Sequence

import numpy as np

from course.symptoms.case import Case, first_true
from course.symptoms.part import diagonals, one_axis, several_axes

NAN = "NaN comes from 0/0, ∞ − ∞ or 0 · ∞."


def not_finite(cases: Sequence[Case]) -> str | None:
    """Says where yours is NaN or infinite, and the right result is not."""
    removes = any(np.isneginf(case.expected).any() for case in cases)
    for name, test, why in (
        ("NaN (not a number)", np.isnan, NAN),
        (
            "∞",
            np.isposinf,
            "∞ is written there, a number is too large, or something is divided by 0.",
        ),
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
