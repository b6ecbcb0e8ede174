"""Hypotheses: yours has another shape, and the right numbers all the same or not."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations, permutations

import numpy as np

from course.symptoms.case import Case
from course.symptoms.lengths import other_lengths
from course.symptoms.reading import (
    REDUCTIONS,
    Reading,
    reduced,
    with_right,
    with_yours,
)
from course.symptoms.words import plural


def other_shape(
    cases: Sequence[Case], explain: Callable[[Sequence[Case]], str | None]
) -> str | None:
    """Says what is wrong with the shape, and whether the numbers are right then.

    Args:
        cases: all cases of the check.
        explain: explains cases of the right shape.
    """
    misshapen = [case for case in cases if not case.shaped]
    if not misshapen:
        return None
    largest = max(misshapen, key=lambda case: case.expected.size)
    guess = None
    for reading in readings(misshapen, largest):
        changed = [reading.change(case) for case in misshapen]
        mended = [case for case in changed if case is not None and case.shaped]
        if len(mended) < len(misshapen):
            continue
        mended += [case for case in cases if case.shaped]
        if all(case.right for case in mended) and is_telling(mended):
            return f"{told(reading, cases)} {reading.after}".strip()
        guess = guess or (None if reading.exact else (reading, mended))
    if guess is None:
        return counted(largest)
    inner = explain(guess[1])
    after = f"Apart from that, {inner[:1].lower()}{inner[1:]}" if inner else ""
    return f"{told(guess[0], cases)} {after or others(misshapen)}".strip()


def others(misshapen: Sequence[Case]) -> str:
    """Says whether the numbers are at least the right ones, in some order."""
    if all(same_numbers(case) for case in misshapen):
        return ""
    return "The numbers differ, too."


def same_numbers(case: Case) -> bool:
    """True if yours has the right numbers, whatever their order."""
    if case.yours.size != case.expected.size:
        return False
    pair = np.sort(case.yours, axis=None), np.sort(case.expected, axis=None)
    return np.allclose(*pair, rtol=1e-4, atol=1e-5)


def told(reading: Reading, cases: Sequence[Case]) -> str:
    """The sentence; it names the call where calls with the right shape contradict."""
    shaped = [case for case in cases if case.shaped]
    if not any(contradicts(reading, case) for case in shaped):
        return reading.text
    first = next(case for case in cases if not case.shaped)
    unique = sum(case.call == first.call for case in cases) == 1
    where = first.call if unique else "one of the calls"
    return f"In {where}: {reading.text[:1].lower()}{reading.text[1:]}"


def contradicts(reading: Reading, case: Case) -> bool:
    """True if a case of the right shape should have another one by this reading."""
    return reading.exact or (1 not in case.expected.shape and case.expected.ndim > 1)


def is_telling(cases: Sequence[Case]) -> bool:
    """True if equal numbers are no chance: they are different numbers."""
    return any(np.ptp(c.expected) > 0 for c in cases if c.expected.size) or all(
        case.expected.size <= 1 for case in cases
    )


def counted(case: Case) -> str:
    """Says in which number the shapes differ."""
    yours, right = case.yours.shape, case.expected.shape
    if len(yours) != len(right):
        noun = "axis" if len(yours) == 1 else "axes"
        verb = "is" if len(right) == 1 else "are"
        return f"Yours has {len(yours)} {noun} where {len(right)} {verb} right."
    pairs = zip(case.axes, yours, right, strict=True)
    wrong = [f"{a} {plural(n)} in place of {b}" for n, a, b in pairs if a != b]
    return f"Yours has {' and '.join(wrong)}."


def readings(cases: Sequence[Case], case: Case) -> Iterator[Reading]:
    """The readings of a case's shape, the simplest first; all cases are misshapen."""
    more = case.yours.ndim - case.expected.ndim
    yield from whole_quantities(case)
    if more == 1:
        yield from axes_too_many(case)
    if more == -1:
        yield from axes_too_few(case)
    if not more:
        yield from exchanged_axes(case)
        yield from other_lengths(cases, case)
    if case.yours.size == case.expected.size:
        yield Reading("Yours has all its numbers in another shape.", in_shape)


def in_shape(case: Case) -> Case | None:
    """Yours, cut into the right shape."""
    if case.yours.size != case.expected.size:
        return None
    return case.changed(yours=case.yours.reshape(case.expected.shape))


def whole_quantities(case: Case) -> Iterator[Reading]:
    """Yours is a known quantity of its own shape."""
    for name, array in case.arrays.items():
        if array.shape == case.yours.shape and array.size > 1:
            change = with_right(partial(known, name=name))
            text = f"Yours is just {name}, of another shape."
            yield Reading(text, change, True, "")


def known(case: Case, name: str) -> np.ndarray | None:
    """A known quantity."""
    return case.arrays.get(name)


def axes_too_many(case: Case) -> Iterator[Reading]:
    """Yours has an axis of size 1 too many, one repeated, or one cut in two."""
    for axis in range(case.yours.ndim):
        place = position(axis, case.yours.ndim)

        def first(case: Case, axis: int = axis) -> np.ndarray | None:
            if case.yours.ndim <= axis or case.yours.shape[axis] < 1:
                return None
            alone = case.yours.take([0], axis)
            same = np.array_equal(np.broadcast_to(alone, case.yours.shape), case.yours)
            return case.yours.take(0, axis) if same else None

        size = case.yours.shape[axis]
        what = (
            "of size 1 too many" if size == 1 else f"too many that repeats {size} times"
        )
        yield Reading(f"Yours has an axis {what}, {place}.", with_yours(first))
    for axis, name in enumerate(case.axes):
        shape, right = case.yours.shape, case.expected.shape
        if (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]) == right:
            text = (
                f"Yours has the axis {name} cut in two, {list(shape[axis : axis + 2])}."
            )
            yield Reading(text, in_shape)


def longer_by_one(case: Case, axis: int) -> np.ndarray:
    """Yours with an axis of size 1 more."""
    return np.expand_dims(case.yours, axis)


def position(axis: int, ndim: int) -> str:
    """Where an axis stands."""
    if axis == 0:
        return "in front"
    return "at the end" if axis == ndim - 1 else f"as axis {axis}"


def axes_too_few(case: Case) -> Iterator[Reading]:
    """Yours lacks an axis: of size 1, joined with its neighbour, or reduced."""
    for a, b in zip(case.axes, case.axes[1:], strict=False):

        def joined(case: Case, a: str = a) -> Case | None:
            axis, shape = case.axes.index(a), case.expected.shape
            if case.yours.shape != (
                *shape[:axis],
                shape[axis] * shape[axis + 1],
                *shape[axis + 2 :],
            ):
                return None
            return in_shape(case)

        if 1 not in (case.length(a), case.length(b)):
            yield Reading(f"Yours has the axes {a} and {b} joined into one.", joined)
    for axis, name in enumerate(case.axes):
        if case.length(name) == 1:
            yield Reading(
                f"Yours lacks the axis {name}, of size 1.",
                with_yours(partial(longer_by_one, axis=axis)),
            )
    for name in case.axes:
        for words, reduce in REDUCTIONS:
            change = with_right(partial(reduced, name=name, reduce=reduce))
            text = f"Yours lacks the axis {name}: it has {words} alone."
            yield Reading(text.replace("{}", name), change, True)
    for axis, name in enumerate(case.axes):
        rest = [n for i, n in enumerate(case.expected.shape) if i != axis]
        if list(case.yours.shape) == rest:
            change = with_right(partial(reduced, name=name, reduce=REDUCTIONS[0][1]))
            yield Reading(f"Yours lacks the axis {name}.", change)


def exchanged_axes(case: Case) -> Iterator[Reading]:
    """Yours has its axes in another order."""
    count = case.expected.ndim
    for i, j in combinations(range(count), 2):
        a, b = case.axes[i], case.axes[j]
        yield Reading(
            f"Yours has the axes {a} and {b} exchanged.",
            with_yours(partial(swapped, i=i, j=j)),
        )
    if 3 <= count <= 4:
        for order in permutations(range(count)):
            names = ", ".join(case.axes[i] for i in order)
            yield Reading(
                f"Yours has its axes in the order [{names}].",
                with_yours(partial(permuted, order=order)),
            )


def swapped(case: Case, i: int, j: int) -> np.ndarray | None:
    """Yours with two axes exchanged."""
    return case.yours.swapaxes(i, j) if max(i, j) < case.yours.ndim else None


def permuted(case: Case, order: Sequence[int]) -> np.ndarray | None:
    """Yours with its axes put back from an order."""
    if case.yours.ndim != len(order):
        return None
    return case.yours.transpose(np.argsort(order))
