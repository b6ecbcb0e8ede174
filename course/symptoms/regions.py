"""Places along an axis that have a name: the first, all later ones, every second."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from course.symptoms.words import listed, plural

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
