"""Hypotheses: the result is right in one part and not in another."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations, product

import numpy as np

from course.symptoms.case import Case, Claim
from course.symptoms.regions import Region, regions
from course.symptoms.words import listed, of_every, plural

FEW = 3  # fewer right numbers may be right by chance


def along(mask: np.ndarray, axis: int) -> np.ndarray:
    """Which places of an axis have a marked number."""
    return mask.any(tuple(i for i in range(mask.ndim) if i != axis))


def one_axis(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The places along one axis are right or wrong as a whole."""
    partly = [not along(case.wrong, axis).all() for axis in axes_of(case.wrong)]
    if sum(partly) == 1:
        for name, region in marked_regions(case):
            alone = region.alone.format(of=of_every(case, name))
            yield Claim(alone, partial(is_region, name=name, region=region), 1)


def any_axis(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Some places along one axis have wrong numbers."""
    for name, region in marked_regions(case):
        text = f"Yours differs only {region.where}, and not everywhere there."
        yield Claim(text, partial(is_within, name=name, region=region), 1)


def marked_regions(case: Case) -> Iterator[tuple[str, Region]]:
    """The regions of single axes that have wrong numbers, where others have none."""
    if case.expected.size < 4 or (~case.wrong).sum() < FEW - 1:
        return
    for axis, name in enumerate(case.axes):
        marked = along(case.wrong, axis)
        if not marked.all():
            yield from ((name, region) for region in regions(name, marked))


def is_region(case: Case, name: str, region: Region) -> bool | None:
    """Says whether the wrong places of an axis are a region, for every place before."""
    axis = case.axis(name)
    if axis is None or not case.shaped:
        return None
    wrong = case.wrong.any(tuple(range(axis + 1, case.wrong.ndim)))
    return bool((wrong == region.places(case.expected.shape[axis])).all())


def is_within(case: Case, name: str, region: Region) -> bool | None:
    """Says whether the places of an axis with a wrong number are a region."""
    axis = case.axis(name)
    if axis is None or not case.shaped:
        return None
    return np.array_equal(
        along(case.wrong, axis), region.places(case.expected.shape[axis])
    )


def several_axes(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The wrong places, or the right ones, are a region on two axes or more."""
    for right in (False, True):
        mask = case.wrong
        if right and (~mask).sum() < FEW:
            continue
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
            where = listed([region.where for region in chosen])
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


Places = np.ndarray  # numbers of rows or columns, or marks of some
Relation = Callable[[Places, Places], Places]
RELATIONS: list[tuple[str, Relation]] = [
    ("{b} > {a}", lambda i, j: j > i),
    ("{b} ≥ {a}", lambda i, j: j >= i),
    ("{b} < {a}", lambda i, j: j < i),
    ("{b} ≤ {a}", lambda i, j: j <= i),
    ("{b} = {a}", lambda i, j: j == i),
    ("{b} ≠ {a}", lambda i, j: j != i),
    ("{b} = {a} + 1", lambda i, j: j == i + 1),
    ("{b} > {a} + 1", lambda i, j: j > i + 1),
]
BAND = "{a} < {b} ≤ {a} + n, n being {bs} less {as_}"


def diagonals(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """The wrong places lie above, on or below a diagonal."""
    for a, b in combinations(case.axes[-3:], 2):
        lengths = sorted((case.length(a) or 0, case.length(b) or 0))
        if lengths[0] < 2 or lengths[1] < 3:
            continue
        told = BAND.format(a=a, b=b, bs=plural(b), as_=plural(a))
        text = f"Yours differs only where {told}."
        yield Claim(text, partial(on_diagonal, a=a, b=b, relation=is_in_band), 1)
        for offset in (False, True):
            for words, relation in RELATIONS:
                told = words.format(a=f"{a} + n" if offset else a, b=b)
                if offset:
                    told += f", n being {plural(b)} less {plural(a)}"
                form = partial(shifted if offset else unshifted, relation=relation)
                holds = partial(on_diagonal, a=a, b=b, relation=form)
                yield Claim(f"Yours differs only where {told}.", holds, 1)


def unshifted(rows: Places, columns: Places, more: int, relation: Relation) -> Places:
    """The places where a row and a column have a relation."""
    return relation(rows, columns)


def shifted(rows: Places, columns: Places, more: int, relation: Relation) -> Places:
    """The same, where rows begin ``more`` columns later."""
    return relation(rows + more, columns)


def is_in_band(rows: Places, columns: Places, more: int) -> Places:
    """The places between a square mask's diagonal and a wide one's."""
    return (rows < columns) & (columns <= rows + more)


def on_diagonal(
    case: Case, a: str, b: str, relation: Callable[[Places, Places, int], Places]
) -> bool | None:
    """Says whether the wrong places have a relation of two axes' places."""
    i, j = case.axis(a), case.axis(b)
    if i is None or j is None or not case.shaped:
        return None
    wrong = case.wrong.any(tuple(k for k in axes_of(case.wrong) if k not in (i, j)))
    rows, columns = np.ogrid[: wrong.shape[0], : wrong.shape[1]]
    more = wrong.shape[1] - wrong.shape[0]
    return bool((relation(rows, columns, more) == wrong).all())
