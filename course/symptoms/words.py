"""The words of the sentences: plurals, lists, numbers."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from course.symptoms.case import Case


def plural(noun: str) -> str:
    """The plural of an axis' name."""
    first, space, rest = noun.partition(" ")
    if first.endswith(("ch", "x", "s")):
        first += "es"
    elif first.endswith("y") and first[-2:-1] not in "aeo":
        first = f"{first[:-1]}ies"
    else:
        first += "s"
    return first + space + rest


def listed(items: Sequence[object]) -> str:
    """Items with commas, and an "and" before the last."""
    texts = [str(item) for item in items]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if texts[1:] else texts)


def shown(order: Sequence[int] | np.ndarray) -> str:
    """The beginning of an order."""
    texts = [str(int(i)) for i in order[:8]]
    return ", ".join(texts + ["…"] * (len(order) > 8))


def number(value: float) -> str:
    """A number as a fraction or root where it is one, else with four digits."""
    if not np.isfinite(value) or not value:
        return {np.inf: "∞", -np.inf: "−∞"}.get(value, "0")
    near = Fraction(value).limit_denominator(12)
    if abs(float(near) - value) < 1e-5 * abs(value):
        return str(near)
    inverse = round(1 / value)
    if abs(inverse * value - 1) < 1e-5 and abs(inverse) <= 1024:
        return f"1/{inverse}"
    square = round(value * value)
    if value > 0 and square > 1 and abs(value * value - square) < 1e-5 * square:
        return f"{value:.4g} = √{square}"
    square = round(1 / (value * value))
    if value > 0 and square > 1 and abs(value * value * square - 1) < 1e-5:
        return f"{value:.4g} = 1/√{square}"
    return f"{value:.4g}"


def named_numbers(case: Case) -> Iterator[tuple[str, float]]:
    """The known numbers, their inverses and roots, by name."""
    for name, value in case.numbers.items():
        if value in (0.0, 1.0) or not np.isfinite(value):
            continue
        yield name, value
        yield inverse_name(name), 1 / value
        if value > 0 and "√" not in name and "/" not in name:
            yield f"√{name}", value**0.5
            yield f"1/√{name}", value**-0.5


def sizes(case: Case) -> Iterator[tuple[str, float]]:
    """The lengths of the axes, their inverses and roots, by name."""
    for axis, length in zip(case.axes, case.expected.shape, strict=True):
        if length:
            count = f"the number of {plural(axis)}"
            yield from ((count, length), (f"1/{count}", 1 / length))
            root = f"the square root of {count}"
            yield from ((root, length**0.5), (f"1/{root}", length**-0.5))


def named_number(case: Case, name: str) -> float | None:
    """The number of this name; 1 has every name's root and inverse."""
    if name in (lengths := dict(sizes(case))):
        return lengths[name]
    for known, value in case.numbers.items():
        names = (known, inverse_name(known), f"√{known}", f"1/√{known}")
        if value == 1.0 and name in names:
            return 1.0
    return dict(named_numbers(case)).get(name)


def names_of(case: Case, value: float) -> list[str]:
    """The names of a number."""
    found = [n for n, v in named_numbers(case) if abs(v - value) < 1e-4 * abs(v)]
    return list(dict.fromkeys(found))


def in_full(case: Case, value: float) -> str:
    """A number and all its names: “2.236 = √5 = √D”."""
    return " = ".join([number(value), *names_of(case, value)])


def sizes_of(case: Case, value: float) -> list[str]:
    """The names of axes' lengths, their inverses and roots, that a number equals."""
    return [n for n, v in sizes(case) if abs(v - value) < 1e-4 * abs(v)]


def inverse_name(name: str) -> str:
    """The name of one over a number."""
    return name[2:] if name.startswith("1/") else f"1/{name}"


def of_every(case: Case, name: str) -> str:
    """“of every text”, for an axis that lies behind another."""
    place = case.axis(name)
    return f" of every {case.axes[place - 1]}" if place else ""
