"""Hypotheses: the result is right in one part and not in another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product
from math import lgamma, log

import numpy as np

from course.symptoms.case import Case, Claim, differing
from course.symptoms.words import listed, number, of_every, plural

Places = Callable[[int], np.ndarray]  # which places of an axis of this length

PORTIONS = (
    (2, ("first half", "second half")),
    (3, ("first third", "second third", "last third")),
)


@dataclass(frozen=True)
class Region:
    """A set of places along an axis.

    Attributes:
        where: the words for a sentence: "in the first token".
        alone: the sentence if exactly these places are wrong; {of} is "of every text".
        places: the places, for every length of the axis.
    """

    where: str
    alone: str
    places: Places


def regions(name: str, marked: np.ndarray) -> Iterator[Region]:
    """The regions of an axis that are just the marked places, the simplest first."""
    candidates = [*relative(name), *absolute(name, marked)]
    for region in candidates:
        if np.array_equal(region.places(len(marked)), marked):
            yield region


def relative(name: str) -> Iterator[Region]:
    """Regions that every length of an axis has."""
    many = plural(name)
    yield Region(
        f"in the first {name}",
        f"Only the first {name}{{of}} differs.",
        lambda n: at(n, 0),
    )
    yield Region(
        f"after the first {name}",
        f"The first {name}{{of}} is right; all later {many} differ.",
        lambda n: ~at(n, 0),
    )
    yield Region(
        f"in the last {name}",
        f"Only the last {name}{{of}} differs.",
        lambda n: at(n, n - 1),
    )
    yield Region(
        f"before the last {name}",
        f"The last {name}{{of}} is right; all earlier {many} differ.",
        lambda n: ~at(n, n - 1),
    )
    for groups, words in PORTIONS:
        for index, word in enumerate(words):
            places = group(groups, index)
            yield Region(
                f"in the {word} of the {many}",
                f"Only the {word} of the {many}{{of}} differs.",
                places,
            )
            if groups == 3:
                yield Region(
                    f"outside the {word} of the {many}",
                    f"Only the {word} of the {many}{{of}} is right.",
                    outside(places),
                )
    for rest, word in ((0, "0, 2, 4 …"), (1, "1, 3, 5 …")):
        yield Region(
            f"in the {many} {word}",
            f"Only the {many} {word}{{of}} differ.",
            every_second(rest),
        )


def absolute(name: str, marked: np.ndarray) -> Iterator[Region]:
    """Regions with numbers, made from the places that are marked."""
    many, n = plural(name), len(marked)
    inside, outside = np.flatnonzero(marked), np.flatnonzero(~marked)
    if not len(inside) or not len(outside):
        return
    start, end = int(inside[0]), int(inside[-1])
    if len(inside) == end - start + 1 and len(inside) > 1:
        if end == n - 1:
            yield Region(
                f"from {name} {start} on",
                f"The first {start} {many}{{of}} are right; from {name} {start} on "
                "they differ.",
                lambda n: np.arange(n) >= start,
            )
            last = n - start
            yield Region(
                f"in the last {last} {many}",
                f"Only the last {last} {many}{{of}} differ.",
                lambda n: np.arange(n) >= n - last,
            )
        if start == 0:
            yield Region(
                f"up to {name} {end}",
                f"The {many} 0 to {end}{{of}} differ; from {name} {end + 1} on they "
                "are right.",
                lambda n: np.arange(n) <= end,
            )
            rest = n - 1 - end
            yield Region(
                f"before the last {rest} {many}",
                f"Only the last {rest} {many}{{of}} are right.",
                lambda n: np.arange(n) < n - rest,
            )
    yield from lists(name, inside, outside)


def lists(name: str, inside: np.ndarray, outside: np.ndarray) -> Iterator[Region]:
    """Regions that name their places one by one."""
    many = plural(name)
    if len(inside) == 1:
        yield Region(
            f"in {name} {inside[0]}",
            f"Only {name} {inside[0]}{{of}} differs.",
            lambda n: np.isin(np.arange(n), inside),
        )
    if len(outside) == 1:
        yield Region(
            f"outside {name} {outside[0]}",
            f"Only {name} {outside[0]}{{of}} is right.",
            lambda n: ~np.isin(np.arange(n), outside),
        )
    if 1 < len(inside) <= 4:
        yield Region(
            f"in the {many} {listed(inside.tolist())}",
            f"Only the {many} {listed(inside.tolist())}{{of}} differ.",
            lambda n: np.isin(np.arange(n), inside),
        )
    if 1 < len(outside) <= 4:
        yield Region(
            f"outside the {many} {listed(outside.tolist())}",
            f"Only the {many} {listed(outside.tolist())}{{of}} are right.",
            lambda n: ~np.isin(np.arange(n), outside),
        )


def at(n: int, place: int) -> np.ndarray:
    """One marked place of n."""
    return np.arange(n) == place


def outside(places: Places) -> Places:
    """The places that are not marked."""
    return lambda n: ~places(n)


def every_second(rest: int) -> Places:
    """The even places, or the odd ones; nothing in a short axis."""
    return lambda n: (np.arange(n) % 2 == rest) & (n > 3)


def group(groups: int, index: int) -> Places:
    """One of equal groups of places; nothing where there are no such groups."""
    return lambda n: (
        (np.arange(n) * groups // max(n, 1) == index) & (n % groups == 0) & (n > groups)
    )


# --- where the wrong numbers are -------------------------------------------------


def along(mask: np.ndarray, axis: int) -> np.ndarray:
    """Which places of an axis have a marked number."""
    return mask.any(tuple(i for i in range(mask.ndim) if i != axis))


def one_axis(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The places along one axis are right or wrong as a whole."""
    if case.expected.size < 4:
        return
    for axis, name in enumerate(case.axes):
        marked = along(case.wrong, axis)
        if marked.all():
            continue
        for region in regions(name, marked):
            for text, every in (
                (region.alone.format(of=of_every(case, name)), True),
                (region.alone.format(of=""), False),
            ):
                yield Claim(
                    text, partial(is_region, name=name, region=region, every=every), 1
                )


def is_region(case: Case, name: str, region: Region, every: bool) -> bool | None:
    """Says whether the wrong places of an axis are a region, for every place before."""
    axis = case.axis(name)
    if axis is None or not case.shaped:
        return None
    wanted = region.places(case.expected.shape[axis])
    if not every:
        return np.array_equal(along(case.wrong, axis), wanted)
    wrong = case.wrong.any(tuple(range(axis + 1, case.wrong.ndim)))
    return bool((wrong == wanted).all())


def several_axes(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The wrong places, or the right ones, are a region on two axes or more."""
    for right in (False, True):
        mask = case.wrong
        verb = "is right" if right else "differs"
        names = [n for i, n in enumerate(case.axes) if not along(mask, i).all()]
        if right:
            flat = tuple(i for i in axes_of(mask) if is_flat(mask, i))
            names = [n for i, n in enumerate(case.axes) if i not in flat]
            mask = ~mask
        if not 2 <= len(names) <= 3:
            continue
        found = [list(regions(n, along(mask, case.axes.index(n)))) for n in names]
        for chosen in product(*found):
            where = " and ".join(region.where for region in chosen)
            yield Claim(
                f"Yours {verb} only {where}.",
                partial(is_product, names=names, chosen=chosen, right=right),
                1,
            )


def axes_of(mask: np.ndarray) -> range:
    """The numbers of an array's axes."""
    return range(mask.ndim)


def is_flat(mask: np.ndarray, axis: int) -> bool:
    """True if a mask says the same everywhere along an axis."""
    return bool((mask == mask.take([0], axis)).all())


def is_product(
    case: Case, names: Sequence[str], chosen: Sequence[Region], right: bool
) -> bool | None:
    """Says whether the wrong (or right) numbers lie just in all of the regions."""
    if not set(names) <= set(case.axes) or not case.shaped:
        return None
    places = [case.axes.index(name) for name in names]
    others = tuple(i for i in axes_of(case.wrong) if i not in places)
    mask = case.wrong.any(others, keepdims=True)
    wanted: np.ndarray = np.ones([1] * mask.ndim, bool)
    for axis, region in zip(places, chosen, strict=True):
        shape = [-1 if i == axis else 1 for i in axes_of(mask)]
        wanted = wanted & region.places(mask.shape[axis]).reshape(shape)
    return bool((mask == (~wanted if right else wanted)).all())


RELATIONS: list[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = [
    ("{b} > {a}{n}", lambda i, j: j > i),
    ("{b} ≥ {a}{n}", lambda i, j: j >= i),
    ("{b} < {a}{n}", lambda i, j: j < i),
    ("{b} ≤ {a}{n}", lambda i, j: j <= i),
    ("{b} = {a}{n}", lambda i, j: j == i),
    ("{b} ≠ {a}{n}", lambda i, j: j != i),
    ("{b} = {a}{n} + 1", lambda i, j: j == i + 1),
    ("{b} > {a}{n} + 1", lambda i, j: j > i + 1),
]


def diagonals(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The wrong places lie above, on or below a diagonal."""
    for a, b in combinations(case.axes[-3:], 2):
        if min(case.length(a) or 0, case.length(b) or 0) < 2:
            continue
        for offset in (False, True):
            for words, relation in RELATIONS:
                n = f" + n, with n more {plural(b)} than {plural(a)}" if offset else ""
                told = words.format(a=a, b=b, n=n)
                yield Claim(
                    f"Yours differs only where {told}.",
                    partial(on_diagonal, a=a, b=b, relation=relation, offset=offset),
                    1,
                )


def on_diagonal(
    case: Case,
    a: str,
    b: str,
    relation: Callable[[np.ndarray, np.ndarray], np.ndarray],
    offset: bool,
) -> bool | None:
    """Says whether the wrong places have a relation of two axes' places."""
    i, j = case.axis(a), case.axis(b)
    if i is None or j is None or not case.shaped:
        return None
    wrong = case.wrong.any(tuple(k for k in axes_of(case.wrong) if k not in (i, j)))
    rows, columns = np.ogrid[: wrong.shape[0], : wrong.shape[1]]
    more = wrong.shape[1] - wrong.shape[0] if offset else 0
    return bool((relation(rows + more, columns) == wrong).all())


def by_number(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The wrong places are those where a known quantity is above or below a number."""
    for name in ["the right result", *case.arrays]:
        found = [value_at(c, name) for c in differing(cases)]
        pairs = [pair for pair in found if pair is not None]
        if len(pairs) < len(found):
            continue
        values = np.concatenate([array.ravel() for array, _ in pairs])
        marks = np.concatenate([wrong.ravel() for _, wrong in pairs])
        if not chance_is_small(marks):
            continue
        low, high = values[marks], values[~marks]
        for above, border in ((True, limit(high, low)), (False, limit(low, high))):
            if border is not None:
                side = {0.0: "positive" if above else "negative"}.get(border)
                side = side or f"{'above' if above else 'below'} {number(border)}"
                yield Claim(
                    f"Yours differs only where {name} is {side}.",
                    partial(beyond, name=name, border=border, above=above),
                    1,
                )


def value_at(case: Case, name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """A known array and where it meets a wrong number, in the array's own shape.

    The array may have the first axes of the result, such as the ids of the tokens.
    """
    array = case.expected if name == "the right result" else case.arrays.get(name)
    if array is None or not case.shaped:
        return None
    if array.shape != case.expected.shape[: array.ndim]:
        return None
    return array, case.wrong.any(tuple(range(array.ndim, case.wrong.ndim)))


def limit(below: np.ndarray, above: np.ndarray) -> float | None:
    """A number between two sets of numbers; None if there is none."""
    low, high = below.max(), above.min()
    if not low < high:
        return None
    if low <= 0 <= high:
        return 0.0
    whole = np.array_equal(below, np.round(below))
    return float(low) if whole else float(low + high) / 2


def beyond(case: Case, name: str, border: float, above: bool) -> bool | None:
    """Says whether the wrong places are those beyond a border."""
    found = value_at(case, name)
    if found is None:
        return None
    values, wrong = found
    inside = values > border if above else values < border
    return bool((inside == wrong)[values != border].all())


def chance_is_small(marks: np.ndarray) -> bool:
    """True if a random order would hardly ever separate the marks."""
    n, k = len(marks), int(marks.sum())
    return 0 < k < n and lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) > log(2e3)


def right_part(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The first or last place of an axis is always right; others are so at times."""
    for name in case.axes:
        for word, place in (("first", 0), ("last", -1)):
            text = (
                f"The {word} {name}{of_every(case, name)} is right; some others differ."
            )
            yield Claim(text, partial(right_at, name=name, place=place, cases=cases), 1)


def right_at(case: Case, name: str, place: int, cases: Sequence[Case]) -> bool | None:
    """Says whether one place is right, while half of the others are wrong."""
    axis = case.axis(name)
    if axis is None or not case.shaped:
        return None
    if case.wrong.shape[axis] < 2:
        return case.right
    if case.wrong.take(place, axis).any():
        return False
    wrong = along(case.wrong, axis)
    size = sum(c.wrong.size // c.wrong.shape[axis] for c in cases if name in c.axes)
    return case.right or (bool(wrong.mean() > 0.3) and size >= 6)


def whole_calls(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Calls are right whose axis or known number has one value, and no others."""
    right = [c for c in cases if c.right]
    wrong = differing(cases)
    if not right or len(wrong) < 1 or len(cases) < 3:
        return
    found: list[str] = []
    for name in case.axes:
        sizes = {c.length(name) for c in right}
        if sizes == {1} and all((c.length(name) or 0) > 1 for c in wrong):
            found.append(f"there is one {name}, and differs for more {plural(name)}")
    for name in case.numbers:
        values = {c.numbers.get(name) for c in right}
        others = {c.numbers.get(name) for c in wrong}
        if values in ({0.0}, {1.0}) and None not in others and not values & others:
            value = int(values == {1.0})
            found.append(f"{name} is {value}, and differs for other values")
    if len(found) == 1:
        yield Claim(f"Yours is right where {found[0]}.", lambda case: True, 1)
