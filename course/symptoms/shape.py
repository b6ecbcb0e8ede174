"""Hypotheses: yours has another shape, and the right numbers all the same or not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, permutations

import numpy as np

from course.symptoms.case import Case
from course.symptoms.words import plural

Change = Callable[[Case], Case | None]  # yours and the right result in one shape


@dataclass(frozen=True)
class Reading:
    """What may be wrong with a shape.

    Attributes:
        text: the sentence.
        change: makes a case in which this is put right; None if it is not so.
        exact: the sentence needs the right numbers to be more than a guess.
    """

    text: str
    change: Change
    exact: bool = False


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
    for reading in readings(largest):
        changed = [reading.change(case) for case in misshapen]
        mended = [case for case in changed if case is not None and case.shaped]
        if len(mended) < len(misshapen):
            continue
        if all(case.right for case in mended) and is_telling(mended):
            return f"{told(reading, cases)} The numbers are right otherwise."
        guess = guess or (None if reading.exact else (reading, mended))
    if guess is None:
        return counted(largest)
    inner = explain(guess[1])
    after = f"Apart from that: {inner[:1].lower()}{inner[1:]}" if inner else ""
    return f"{told(guess[0], cases)} {after or 'The numbers differ, too.'}"


def told(reading: Reading, cases: Sequence[Case]) -> str:
    """The sentence; it names the call where calls with the right shape contradict."""
    shaped = [case for case in cases if case.shaped]
    if not any(contradicts(reading, case) for case in shaped):
        return reading.text
    first = next(case for case in cases if not case.shaped)
    return f"In {first.call}: {reading.text[:1].lower()}{reading.text[1:]}"


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


def readings(case: Case) -> Iterator[Reading]:
    """The readings of a case's shape, the simplest first."""
    more = case.yours.ndim - case.expected.ndim
    yield from whole_quantities(case)
    if more == 1:
        yield from axes_too_many(case)
    if more == -1:
        yield from axes_too_few(case)
    if not more:
        yield from exchanged_axes(case)
        yield from other_lengths(case)
    if case.yours.size == case.expected.size:
        yield Reading("Yours has all its numbers in another shape.", in_shape)


def with_yours(change: Callable[[Case], np.ndarray | None]) -> Change:
    """A change of yours alone."""

    def changed(case: Case) -> Case | None:
        yours = change(case)
        return None if yours is None else case.changed(yours=yours)

    return changed


def with_right(change: Callable[[Case], np.ndarray | None]) -> Change:
    """A change of the right result alone, without what is known of it."""

    def changed(case: Case) -> Case | None:
        right = change(case)
        if right is None or right.shape != case.yours.shape:
            return None
        axes = case.axes if right.ndim == len(case.axes) else ("place",) * right.ndim
        return case.changed(expected=right, axes=axes, arrays={})

    return changed


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
            yield Reading(f"Yours is {name} itself, of another shape.", change, True)


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


REDUCTIONS: list[tuple[str, Callable[[np.ndarray, int], np.ndarray]]] = [
    ("the first {}", lambda x, axis: x.take(0, axis)),
    ("the last {}", lambda x, axis: x.take(-1, axis)),
    ("the mean", lambda x, axis: x.mean(axis)),
    ("the sum", lambda x, axis: x.sum(axis)),
    ("the maximum", lambda x, axis: x.max(axis)),
]


def longer_by_one(case: Case, axis: int) -> np.ndarray:
    """Yours with an axis of size 1 more."""
    return np.expand_dims(case.yours, axis)


def reduced(
    case: Case, name: str, reduce: Callable[[np.ndarray, int], np.ndarray]
) -> np.ndarray | None:
    """The right result with an axis reduced."""
    axis = case.axis(name)
    if axis is None or not case.expected.shape[axis]:
        return None
    return reduce(case.expected, axis)


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


def other_lengths(case: Case) -> Iterator[Reading]:
    """One axis is shorter or longer."""
    pairs = list(zip(case.axes, case.yours.shape, case.expected.shape, strict=True))
    different = [(n, a, b) for n, a, b in pairs if a != b]
    if len(different) != 1:
        return
    name, yours, right = different[0]
    yield from (
        shorter(name, yours, right) if yours < right else longer(name, yours, right)
    )


def shorter(name: str, yours: int, right: int) -> Iterator[Reading]:
    """Yours has only some places of an axis, or one for all."""
    lost, many = right - yours, plural(name)
    only = f"Yours has only {yours} of the {right} {many}" if yours else ""
    if not yours:
        yield Reading(f"Yours has no {many}.", with_right(lambda c: cut(c, name, 0, 0)))
        return
    if lost == 1:
        first, last = f"Yours lacks the first {name}.", f"Yours lacks the last {name}."
    elif yours == 1:
        first = f"Yours has only the last {name}."
        last = f"Yours has only the first {name}."
    else:
        first, last = f"{only}, the last ones.", f"{only}, the first ones."
    from_end = with_right(lambda c: cut(c, name, lost_of(c, name), None))
    from_start = with_right(lambda c: cut(c, name, 0, -lost_of(c, name)))
    yield Reading(last, from_start, True)
    yield Reading(first, from_end, True)
    for start in range(1, lost):
        text = f"{only}, from {name} {start} on."
        change = with_right(partial(window, name=name, start=start))
        yield Reading(text, change, True)
    if yours == 1:
        for words, reduce in REDUCTIONS[2:]:
            change = with_right(partial(kept, name=name, reduce=reduce))
            yield Reading(f"Yours has {words} of the {many} alone.", change, True)
    if right == 2 * yours:
        text = f"Yours has only every second {name}."
        yield Reading(text, with_right(lambda c: every_second(c, name)), True)
    yield Reading(f"{only}.", from_start)


def longer(name: str, yours: int, right: int) -> Iterator[Reading]:
    """Yours has more places of an axis than right."""
    more, many = yours - right, plural(name)
    one = f"one {name}" if more == 1 else f"{more} {many}"
    if right and yours % right == 0:
        times = yours // right
        for words, spread in (("all", np.tile), ("each of", repeated)):
            yield Reading(
                f"Yours has {words} the {many} {times} times.",
                with_right(partial(spread_out, name=name, spread=spread)),
                True,
            )
    for words, start in (("at the end", False), ("in front", True)):

        def back(case: Case, start: bool = start) -> np.ndarray | None:
            axis = case.axis(name)
            extra = -lost_of(case, name)
            if axis is None or extra < 1:
                return None
            n = case.expected.shape[axis]
            return case.yours.take(
                range(extra if start else 0, n + extra * start), axis
            )

        yield Reading(f"Yours has {one} too many, {words}.", with_yours(back), True)
    text = f"Yours has {yours} {many} where {right} are right."
    change = with_yours(
        lambda c: (
            c.yours.take(range(right), c.axes.index(name))
            if c.length(name) == right
            else None
        )
    )
    yield Reading(text, change)


def length(case: Case, name: str) -> int:
    """How many places yours has along an axis."""
    return case.yours.shape[case.axes.index(name)]


def lost_of(case: Case, name: str) -> int:
    """How many places of an axis yours lacks."""
    axis = case.axis(name)
    if axis is None or case.yours.ndim != case.expected.ndim:
        return 0
    return case.expected.shape[axis] - case.yours.shape[axis]


def cut(case: Case, name: str, start: int, stop: int | None) -> np.ndarray | None:
    """The right result's places from start to stop."""
    axis = case.axis(name)
    if axis is None:
        return None
    places = np.arange(case.expected.shape[axis])[start:stop]
    return case.expected.take(places, axis)


def window(case: Case, name: str, start: int) -> np.ndarray | None:
    """As many places of the right result as yours has, from one on."""
    return cut(case, name, start, start + length(case, name))


def kept(
    case: Case, name: str, reduce: Callable[[np.ndarray, int], np.ndarray]
) -> np.ndarray | None:
    """The right result with an axis reduced to size 1."""
    value = reduced(case, name, reduce)
    return None if value is None else np.expand_dims(value, case.axes.index(name))


def every_second(case: Case, name: str) -> np.ndarray:
    """Every second place of the right result."""
    places = np.arange(0, case.length(name) or 0, 2)
    return case.expected.take(places, case.axes.index(name))


def repeated(places: np.ndarray, times: int) -> np.ndarray:
    """Each place several times."""
    return np.repeat(places, times)


def spread_out(
    case: Case, name: str, spread: Callable[[np.ndarray, int], np.ndarray]
) -> np.ndarray | None:
    """The right result with its places repeated."""
    axis = case.axis(name)
    if axis is None or case.yours.ndim <= axis or not case.expected.shape[axis]:
        return None
    times = case.yours.shape[axis] // case.expected.shape[axis]
    return case.expected.take(spread(np.arange(case.expected.shape[axis]), times), axis)
