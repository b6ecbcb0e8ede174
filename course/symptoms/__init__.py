"""Explains how a result differs from the right one, where no known mistake fits.

``explain`` tries a fixed list of hypotheses in order of simplicity. It says the first
that holds on every comparison of a check, within rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course.comparison import Comparison
from course.symptoms import (
    conditions,
    finite,
    functions,
    known,
    mixed,
    order,
    part,
    removed,
    reshaped,
    selection,
    size,
    values,
)
from course.symptoms.case import Case, Propose, differing, first_true
from course.symptoms.normalized import before, normalized, plainly, weights
from course.symptoms.restricted import restricted
from course.symptoms.shape import other_shape
from course.symptoms.words import number

# Each proposes claims about the whole result; the simplest come first.
PLAIN: tuple[Propose, ...] = (
    known.is_known,
    known.is_former,
    known.is_another,
    values.replaced,
    removed.removed,
    order.transposed,
)
WHOLE: tuple[Propose, ...] = (
    order.reordered,
    size.scaled,
    size.moved,
    known.added,
    known.multiplied,
    functions.applied,
    functions.of_known,
    known.two_known,
    plainly,
    normalized,
    known.is_scaled,
    selection.selected,
    reshaped.accumulated,
    reshaped.reshaped,
    size.sums,
    functions.tempered,
    values.centred,
    size.rounded,
    mixed.mixed,
)
# Each proposes claims about where the result is right: along an axis, or elsewhere.
AXES: tuple[Propose, ...] = (conditions.by_id, part.one_axis)
PLACES: tuple[Propose, ...] = (
    part.diagonals,
    part.several_axes,
    conditions.by_number,
    part.any_axis,
)
# Claims about the wrong part of an axis.
INSIDE: tuple[Propose, ...] = (
    known.is_known,
    size.scaled,
    size.moved,
    known.added,
    known.multiplied,
)
# Claims that say less.
WEAK: tuple[Propose, ...] = (
    size.scaled_in_parts,
    order.scattered,
    removed.removed_number,
    values.varying,
    conditions.right_part,
    conditions.whole_calls,
    size.near,
)


@dataclass(frozen=True)
class Symptom:
    """What is said about a failing check.

    Attributes:
        text: a sentence or two.
        whole: True if the text says what yours is, False if it says only where yours
            differs, or how little.
    """

    text: str
    whole: bool = True


def explain(comparisons: Sequence[Comparison]) -> Symptom | None:
    """Says in a sentence what yours is, compared with the right result.

    Args:
        comparisons: every comparison of a failing check, in order.

    Returns:
        The first hypothesis that holds on all of them, or None.
    """
    cases = [Case.of(comparison) for comparison in comparisons]
    with np.errstate(all="ignore"):
        if all(case.right for case in cases):
            return None
        if found := mistaken_marks(cases) or finite.not_finite(cases):
            return Symptom(found)
        if found := other_shape(cases, searched_whole):
            return Symptom(found)
        return search(cases) or search_one_result(cases)


def relate(comparison: Comparison) -> str | None:
    """Says how one array is another one, scaled or in another order; None if not."""
    case = Case.of(comparison)
    with np.errstate(all="ignore"):
        return first_true(
            (size.scaled, order.transposed, order.reordered), [case], case
        )


def mistaken_marks(cases: Sequence[Case]) -> str | None:
    """Says which of a mask's two numbers is another one in yours."""
    wrong = [case for case in differing(cases) if case.shaped]
    if len(wrong) < len(differing(cases)) or not wrong:
        return None
    largest = max(wrong, key=lambda case: case.wrong.sum())
    if not is_pattern(largest.expected):
        return None
    return first_true((values.replaced,), cases, largest)


def search_one_result(cases: Sequence[Case]) -> Symptom | None:
    """Explains the one result that differs, where the others of a call are right."""
    wrong = {asked_for(case) for case in differing(cases)}
    right = {asked_for(case) for case in cases} - wrong
    if len(wrong) != 1 or not right or None in wrong | right:
        return None
    name = wrong.pop()
    found = search([case for case in cases if asked_for(case) == name])
    text = f"Only the {name} differs."
    return Symptom(f"{text} {found.text}") if found else Symptom(text, whole=False)


def asked_for(case: Case) -> str | None:
    """The result that is asked for: “key” of “key of layer(x)”."""
    name, of, _ = case.call.partition(" of ")
    return name if of and name.isidentifier() else None


def searched_whole(cases: Sequence[Case]) -> str | None:
    """The text of the first claim that says what yours is."""
    found = search(cases)
    return found.text if found and found.whole else None


def search(cases: Sequence[Case]) -> Symptom | None:
    """The first claim that holds on all cases; all have the right shape."""
    wrong = differing(cases)
    if not wrong:
        return None
    largest = max(wrong, key=lambda case: case.wrong.sum())
    pattern = is_pattern(largest.expected)
    if claim := first_true((size.constant,), cases, largest):
        return Symptom(claim, whole=False)
    if claim := first_true(PLAIN if pattern else PLAIN + WHOLE, cases, largest):
        return Symptom(claim)
    if claim := first_true(AXES, cases, largest):
        part = restricted(cases, largest)
        inner = one_number(cases) or there(first_true(INSIDE, *part))
        return Symptom(f"{claim} {inner}".strip(), bool(inner))
    if claim := first_true(PLACES, cases, largest):
        inner = one_number(cases)
        return Symptom(f"{claim} {inner}".strip(), bool(inner))
    if claim := before_last(cases, largest):
        return Symptom(claim)
    if pattern and (claim := first_true(WHOLE, cases, largest)):
        return Symptom(claim)
    claim = first_true(WEAK, cases, largest)
    return Symptom(claim, whole=False) if claim else None


def before_last(cases: Sequence[Case], largest: Case) -> str | None:
    """Explains what the result is before its weight and bias are applied."""
    for weight, bias in weights(largest):
        inner = [before(case, weight, bias) for case in cases]
        found = [case for case in inner if case is not None]
        if len(found) < len(cases):
            continue
        chosen = next(
            new for old, new in zip(cases, found, strict=True) if old is largest
        )
        if text := first_true((*WHOLE, size.scaled_in_parts), found, chosen):
            return f"Before {weight} and {bias}: {text[:1].lower()}{text[1:]}"
    return None


def there(text: str | None) -> str:
    """A sentence about the wrong part of the result."""
    return f"There, {text[:1].lower()}{text[1:]}" if text else ""


def one_number(cases: Sequence[Case]) -> str:
    """Says which number yours has wherever it is wrong, if it is always the same."""
    values = np.concatenate([case.yours[case.wrong] for case in differing(cases)])
    same = len(values) > 1 and (values == values[0]).all()
    return f"There, every number of yours is {number(values[0])}." if same else ""


def is_pattern(x: np.ndarray) -> bool:
    """True for a mask and the like: only two numbers occur, so places say more."""
    return bool(((x == x.min()) | (x == x.max())).all())
