"""Hypotheses: the difference, or yours, is made of quantities that are known here."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from course.symptoms.case import Case, Claim
from course.symptoms.size import slope
from course.symptoms.words import in_full

Terms = Sequence[tuple[str, float]]  # quantities by name, each with its factor


def is_known(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is a known quantity, as it is."""
    for name, array in case.quantities:
        if not np.array_equal(array, case.expected) and case.fits(array):
            yield Claim(f"Yours is just {name}.", equals([(name, 1.0)]))


def is_former(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is what the same call had to give just before."""
    pairs = [(a, b) for a, b in pairwise(cases) if not b.right]
    same = all(a.call == b.call and b.fits(a.expected) for a, b in pairs)
    if same and cases[0].right:
        text = "Yours is the result that was right for the same call before, as if "
        yield Claim(f"{text}nothing had changed since.", lambda case: True)


def is_another(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is what other comparisons of the check ask for."""
    given: dict[str, str] = {}
    for asked in cases:
        if asked.right:
            continue
        others = [c for c in cases if c is not asked and asked.fits(c.expected)]
        if not others:
            return
        given.setdefault(subject(asked), subject(others[0]))
        if given[subject(asked)] not in {subject(c) for c in others}:
            return
    text = "; ".join(f"yours is {b} where {a} is asked for" for a, b in given.items())
    if any(name in {c.call for c in cases} for name in given):
        first, second = next(iter(given.items()))
        text = f"yours is what {second} has to give, in place of {first}"
    yield Claim(
        f"{text[:1].upper()}{text[1:]}.",
        lambda case: not case.right or subject(case) not in given,
    )


def subject(case: Case) -> str:
    """What is asked for: “the key” of “key of layer(x)”, a known name, or the call."""
    first, of, _ = case.call.partition(" of ")
    if of and first.isidentifier():
        return f"the {first}"
    for name, array in case.arrays.items():
        if array.shape == case.expected.shape and np.allclose(array, case.expected):
            return name
    return case.call


def added(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours has a known quantity too much, or lacks one."""
    difference = case.yours - case.expected
    if not np.isfinite(difference).all():
        return
    for name, array in case.quantities:
        factor = slope(array, difference)
        if not factor or not case.fits(case.expected + factor * array):
            continue
        if abs(factor - round(factor)) < 1e-4:
            factor = round(factor)
        if abs(factor) == 1:
            told = "is the right result " + ("plus" if factor == 1 else "minus")
            if factor == -1 and "`" in name:
                told = "lacks"
            yield Claim(f"Yours {told} {name}.", plus([(name, factor)]))
        elif factor == -2:
            text = f"Yours is the right result minus twice {name}, as if {name} were "
            text += "subtracted where it has to be added."
            yield Claim(text, plus([(name, factor)]))
        else:
            sign = "plus" if factor > 0 else "minus"
            size = in_full(case, abs(factor))
            text = f"Yours is the right result {sign} {name} times {size}."
            yield Claim(text, plus([(name, factor)]), 4)


def multiplied(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is the right result times or divided by a known quantity."""
    for name, array in case.quantities:
        if case.fits(case.expected * array):
            text = f"Yours is the right result times {name}."
            yield Claim(text, with_array(name, lambda e, k: e * k))
        if (array != 0).all() and case.fits(case.expected / array):
            text = f"Yours is the right result divided by {name}."
            yield Claim(text, with_array(name, lambda e, k: e / k))


def is_scaled(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Yours is a known quantity times a number."""
    for name, array in case.quantities:
        factor = slope(array, case.yours)
        if factor and abs(factor - 1) > 1e-4 and case.fits(factor * array):
            text = f"Yours is {name} times {in_full(case, factor)}."
            yield Claim(text, equals([(name, factor)]), 4)


def two_known(cases: Sequence[Case], case: Case) -> Iterator[Claim]:
    """Two known quantities make yours, or the difference."""
    if len(case.quantities) < 2 or not np.isfinite(case.yours - case.expected).all():
        return
    places = np.linspace(0, case.yours.size - 1, min(8, case.yours.size)).astype(int)
    names = [name for name, _ in case.quantities]
    samples = np.array([array.flat[places] for _, array in case.quantities])
    yours, right = case.yours.flat[places], case.expected.flat[places]
    less = pairs(samples[:, None] - samples[None], yours - right)
    for i, j in less:
        terms = [(names[i], 1.0), (names[j], -1.0)]
        yield Claim(f"Yours has {names[i]} where {names[j]} belongs.", plus(terms), 4)
    both = samples[:, None] + samples[None]
    for i, j in (pair for pair in pairs(both, right - yours) if pair[0] < pair[1]):
        terms = [(names[i], -1.0), (names[j], -1.0)]
        yield Claim(f"Yours lacks {names[i]} and {names[j]}.", plus(terms), 4)
    for i, j in (pair for pair in pairs(both, yours) if pair[0] < pair[1]):
        terms = [(names[i], 1.0), (names[j], 1.0)]
        text = f"Yours is {' plus '.join(sorted((names[i], names[j]), key=len))}."
        yield Claim(text, equals(terms), 4)
    for i, j in pairs(samples[:, None] - samples[None], yours):
        terms = [(names[i], 1.0), (names[j], -1.0)]
        yield Claim(f"Yours is {names[i]} minus {names[j]}.", equals(terms), 4)
    for i, j in pairs(samples[:, None] * samples[None], yours):
        if i < j:
            text = f"Yours is {' times '.join(sorted((names[i], names[j]), key=len))}."
            yield Claim(text, product(names[i], names[j]), 4)


def pairs(table: np.ndarray, target: np.ndarray) -> list[tuple[int, int]]:
    """The pairs of quantities whose sample equals the target's."""
    near = np.abs(table - target) <= 1e-4 * np.maximum(1.0, np.abs(target))
    return [(int(i), int(j)) for i, j in np.argwhere(near.all(-1)) if i != j][:8]


def combined(case: Case, terms: Terms) -> Iterator[np.ndarray] | None:
    """The sums of the named quantities; None if the case lacks one."""
    sums: list[np.ndarray] = [np.zeros(case.expected.shape)]
    for name, factor in terms:
        arrays = case.called(name)
        if arrays is None:
            return None
        sums = [total + factor * array for total in sums for array in arrays]
    return iter(sums)


def plus(terms: Terms) -> Callable[[Case], bool | None]:
    """Says whether yours is the right result plus these terms."""

    def holds(case: Case) -> bool | None:
        sums = combined(case, terms)
        if sums is None:
            return None
        return any(case.fits(case.expected + total) for total in sums)

    return holds


def equals(terms: Terms) -> Callable[[Case], bool | None]:
    """Says whether yours is the sum of these terms."""

    def holds(case: Case) -> bool | None:
        sums = combined(case, terms)
        return None if sums is None else any(case.fits(total) for total in sums)

    return holds


def with_array(
    name: str, change: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Callable[[Case], bool | None]:
    """Says whether yours is the right result changed by a quantity."""

    def holds(case: Case) -> bool | None:
        arrays = case.called(name)
        if arrays is None:
            return None
        return any(case.fits(change(case.expected, array)) for array in arrays)

    return holds


def product(a: str, b: str) -> Callable[[Case], bool | None]:
    """Says whether yours is the product of two quantities."""

    def holds(case: Case) -> bool | None:
        first, second = case.called(a), case.called(b)
        if first is None or second is None:
            return None
        return any(case.fits(x * y) for x in first for y in second)

    return holds
