"""Readings of a shape in which one axis is shorter or longer."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from course.symptoms.case import Case
from course.symptoms.reading import REDUCTIONS, Reading, reduced, with_right, with_yours
from course.symptoms.words import plural


def other_lengths(cases: Sequence[Case], case: Case) -> Iterator[Reading]:
    """One axis is shorter or longer."""
    pairs = list(zip(case.axes, case.yours.shape, case.expected.shape, strict=True))
    different = [(n, a, b) for n, a, b in pairs if a != b]
    if len(different) != 1:
        return
    name, yours, right = different[0]
    read = shorter if yours < right else longer
    yield from read(name, {lengths(c, name) for c in cases})


def lengths(case: Case, name: str) -> tuple[int, int]:
    """The lengths of an axis, in yours and in the right result; 0, 0 if it has none."""
    axis = case.axis(name)
    if axis is None or case.yours.ndim != case.expected.ndim:
        return 0, 0
    return case.yours.shape[axis], case.expected.shape[axis]


def shorter(name: str, sizes: set[tuple[int, int]]) -> Iterator[Reading]:
    """Yours has only some places of an axis, or one for all."""
    many = plural(name)
    lost = {right - yours for yours, right in sizes}
    left = {yours for yours, _ in sizes}
    if left == {0}:
        yield Reading(f"Yours has no {many}.", with_right(partial(ends, name=name)))
        return
    if lost == {1}:
        first, last = f"Yours lacks the last {name}.", f"Yours lacks the first {name}."
    elif left == {1}:
        first = f"Yours has only the first {name}."
        last = f"Yours has only the last {name}."
    else:
        first = f"Yours has only the first {several(many, sizes)}."
        last = f"Yours has only the last {several(many, sizes)}."
    yield Reading(first, with_right(partial(ends, name=name)), True)
    yield Reading(last, with_right(partial(ends, name=name, last=True)), True)
    for start in range(1, min(lost)):
        text = f"Yours has only {several(many, sizes)}, from {name} {start} on."
        change = with_right(partial(window, name=name, start=start))
        yield Reading(text, change, True)
    if left == {1}:
        for words, reduce in REDUCTIONS[2:]:
            change = with_right(partial(kept, name=name, reduce=reduce))
            yield Reading(f"Yours has {words} of the {many} alone.", change, True)
    text = f"Yours has only every second {name}."
    yield Reading(text, with_right(partial(every_second, name=name)), True)
    text = f"Yours has only {several(many, sizes)}."
    if len(sizes) > 1:
        text = f"Yours has too few {many}."
    yield Reading(text, with_right(partial(ends, name=name)))


def several(many: str, sizes: set[tuple[int, int]]) -> str:
    """“3 of the 5 tokens”, or “tokens” where the numbers change."""
    (yours, right), *others = sizes
    return many if others else f"{yours} of the {right} {many}"


def longer(name: str, sizes: set[tuple[int, int]]) -> Iterator[Reading]:
    """Yours has more places of an axis than right."""
    more, many = {yours - right for yours, right in sizes}, plural(name)
    times = {yours // right if right else 0 for yours, right in sizes}
    if len(times) == 1 and all(right and yours % right == 0 for yours, right in sizes):
        for words, spread in (("all the", np.tile), ("each of the", repeated)):
            yield Reading(
                f"Yours has {words} {many} {min(times)} times.",
                with_right(partial(spread_out, name=name, spread=spread)),
                True,
            )
    one = f"one {name}" if more == {1} else f"{min(more)} {many}"
    one = f"{one} too many" if len(more) == 1 else f"too many {many}"
    for words, last in (("at the end", False), ("in front", True)):
        change = with_yours(partial(as_many, name=name, last=last))
        yield Reading(f"Yours has {one}, {words}.", change, True)
    yield Reading(f"Yours has {one}.", with_yours(partial(as_many, name=name)))


def ends(case: Case, name: str, last: bool = False) -> np.ndarray | None:
    """As many places of the right result as yours has: the first ones, or the last."""
    yours, right = lengths(case, name)
    return window(case, name, right - yours if last else 0)


def window(case: Case, name: str, start: int) -> np.ndarray | None:
    """As many places of the right result as yours has, from one on."""
    axis, (yours, right) = case.axis(name), lengths(case, name)
    if axis is None or start < 0 or start + yours > right:
        return None
    return case.expected.take(range(start, start + yours), axis)


def as_many(case: Case, name: str, last: bool = False) -> np.ndarray | None:
    """As many places of yours as are right: the first ones, or the last."""
    axis, (yours, right) = case.axis(name), lengths(case, name)
    if axis is None or yours < right:
        return None
    start = yours - right if last else 0
    return case.yours.take(range(start, start + right), axis)


def kept(
    case: Case, name: str, reduce: Callable[[np.ndarray, int], np.ndarray]
) -> np.ndarray | None:
    """The right result with an axis reduced to size 1."""
    value = reduced(case, name, reduce)
    return None if value is None else np.expand_dims(value, case.axes.index(name))


def every_second(case: Case, name: str) -> np.ndarray | None:
    """Every second place of the right result."""
    axis, (_, right) = case.axis(name), lengths(case, name)
    return None if axis is None else case.expected.take(range(0, right, 2), axis)


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
