"""Hypotheses: the right numbers in other places."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations

import numpy as np

from course.symptoms.case import Case, Claim, differing
from course.symptoms.words import listed, plural, shown

Order = Callable[[int], np.ndarray | None]  # the places for a length; None: not defined
ORDINALS = ["first", "second", "third"]
NEIGHBOURS = ((-1, "before", "first", "last"), (1, "after", "last", "first"))


def transposed(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Two axes are exchanged."""
    for a, b in combinations(case.axes, 2):
        last = all(c.axes[-2:] == (a, b) for c in cases) and len(case.axes) > 2
        names = f"its last two axes exchanged ({a} and {b})" if last else ""
        names = names or f"the axes {a} and {b} exchanged"
        yield Claim(f"Yours is the right result with {names}.", exchanged(a, b))


def exchanged(a: str, b: str) -> Callable[[Case], bool | None]:
    """Says whether yours has two axes exchanged."""

    def holds(case: Case) -> bool | None:
        i, j = case.axis(a), case.axis(b)
        if i is None or j is None:
            return None
        return case.fits(case.expected.swapaxes(i, j))

    return holds


def reordered(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The places along one axis are in another order, or repeat one place."""
    for name in case.axes:
        for text, order in orders(cases, case, name):
            yield Claim(text, taken(name, order))


def taken(name: str, order: Order) -> Callable[[Case], bool | None]:
    """Says whether yours has another order along an axis; −1 stands for anything."""

    def holds(case: Case) -> bool | None:
        axis = case.axis(name)
        if axis is None:
            return None
        places = order(case.expected.shape[axis])
        if places is None:
            return False
        candidate = case.expected.take(np.maximum(places, 0), axis)
        if (places >= 0).all():
            return case.fits(candidate)
        free = np.flatnonzero(places < 0)
        if len(free) == len(places):  # one place alone: nothing to compare
            return None
        index = (slice(None),) * axis + (free,)
        candidate[index] = case.yours[index] if case.shaped else 0
        return case.fits(candidate)

    return holds


def orders(cases: Sequence[Case], case: Case, name: str) -> Iterator[tuple[str, Order]]:
    """The orders along an axis, the simplest first, each with its sentence."""
    many, n = plural(name), case.length(name) or 0
    if n < 2:
        return
    if {c.length(name) for c in differing(cases)} <= {2, None}:
        yield f"The two {many} of yours are exchanged.", lambda n: np.arange(n)[::-1]
    yield f"The {many} of yours are in reverse order.", lambda n: np.arange(n)[::-1]
    yield (
        f"Every {name} of yours has the result of the first {name}.",
        lambda n: np.zeros(n, int),
    )
    yield (
        f"Every {name} of yours has the result of the last {name}.",
        lambda n: np.full(n, n - 1),
    )
    if n > 2:
        yield from shifts(name)
    for groups in range(2, n // 2 + 1):
        if n % groups == 0:
            yield from grouped(groups, n, name)
    found = found_order(case, name)
    if found is not None:
        yield (
            f"Yours has the right {many} in another order: {shown(found)}.",
            lambda n: found if n == len(found) else None,
        )


def shifts(name: str) -> Iterator[tuple[str, Order]]:
    """Orders in which each place has the result of a neighbour."""
    for step, where, end, other in NEIGHBOURS:
        text = f"Each {name} of yours has the right result of the {name} {where} it"

        def around(n: int, step: int = step) -> np.ndarray:
            return (np.arange(n) + step) % n

        def kept(n: int, step: int = step) -> np.ndarray:
            return np.clip(np.arange(n) + step, 0, n - 1)

        def free(n: int, step: int = step) -> np.ndarray:
            places = np.arange(n) + step
            return np.where((places < 0) | (places >= n), -1, places)

        yield f"{text}, and the {end} one that of the {other}.", around
        yield f"{text}; the {end} one has its own.", kept
        yield f"{text}; the {end} one has another result.", free


def grouped(groups: int, n: int, name: str) -> Iterator[tuple[str, Order]]:
    """Orders of equal groups of an axis, side by side or in turns."""
    size, many = n // groups, plural(name)

    def whole(permutation: Sequence[int]) -> Order:
        def order(n: int) -> np.ndarray | None:
            if n % groups:
                return None
            return np.arange(n).reshape(groups, -1)[list(permutation)].ravel()

        return order

    def turns(n: int) -> np.ndarray | None:
        return None if n % groups else np.arange(n).reshape(groups, -1).T.ravel()

    def inner(n: int) -> np.ndarray | None:
        return None if n % groups else np.arange(n).reshape(groups, -1)[:, ::-1].ravel()

    if groups == 2:
        yield f"The two halves of the {many} are exchanged in yours.", whole([1, 0])
    elif groups == 3:
        for order in list(permutations(range(3)))[1:]:
            thirds = listed([ORDINALS[i] for i in order])
            yield f"The thirds of the {many} are in the order {thirds}.", whole(order)
    else:
        for shift in (1, groups - 1):
            places = [(i + shift) % groups for i in range(groups)]
            where = "one further" if shift == groups - 1 else "one back"
            text = f"The {groups} groups of {size} {many} are moved {where}."
            yield text, whole(places)
        text = f"The {groups} groups of {size} {many} are in reverse order."
        yield text, whole(range(groups)[::-1])
    yield (
        f"The {many} of yours are in turns from {groups} groups: "
        f"{shown(np.arange(n).reshape(groups, -1).T.ravel())}.",
        turns,
    )
    yield f"The {many} are in reverse order in each of {groups} groups.", inner
    for index, where in ((0, "first"), (groups - 1, "last")):
        text = f"All {groups} groups of {size} {many} have the result of the {where}."
        yield text, whole([index] * groups)


def found_order(case: Case, name: str) -> np.ndarray | None:
    """The order along an axis in which yours has the right results, if there is one."""
    axis = case.axes.index(name)
    yours, right = (marks(x, axis) for x in (case.yours, case.expected))
    if len(right) < 3 or np.diff(np.sort(right)).min() < 1e-4:
        return None
    order = np.empty(len(right), int)
    order[np.argsort(yours)] = np.argsort(right)
    return order


def marks(array: np.ndarray, axis: int) -> np.ndarray:
    """One number for each place along an axis, which tells places from each other."""
    rows = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)[:, :8]
    rows = np.nan_to_num(rows, posinf=1e3, neginf=-1e3)
    return rows @ np.sqrt(np.arange(2.0, 2.0 + rows.shape[1]))


def sorted_alike(case: Case, axis: int | None) -> bool:
    """True if yours has the right numbers along an axis, in another order."""
    if case.right or not case.shaped:
        return False
    expected, yours = np.sort(case.expected, axis), np.sort(case.yours, axis)
    return case.changed(yours=yours, expected=expected).right


def scattered(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The right numbers in no order that has a name."""
    for name in case.axes[::-1]:

        def along(case: Case, name: str = name) -> bool | None:
            axis = case.axis(name)
            if axis is None:
                return None
            return sorted_alike(case, axis)

        if len(case.axes) > 1:
            text = (
                f"Along the {plural(name)} yours has the right numbers in other places."
            )
            yield Claim(text, along, needs=4)

    def anywhere(case: Case) -> bool:
        return sorted_alike(case, None)

    yield Claim("Yours has all the right numbers, but in other places.", anywhere, 4)
