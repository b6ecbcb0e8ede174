"""Compares recorded texts and allows for the rounding of their numbers."""

import re
from collections.abc import Callable

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def alike(a: str, b: str, tolerance: Callable[[str], float]) -> bool:
    """True if two texts are equal, apart from small differences of their numbers.

    Args:
        a: one text.
        b: the other.
        tolerance: returns the largest difference for a number of ``a``, as written.
    """
    if NUMBER.sub("0", a) != NUMBER.sub("0", b):
        return False
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
    return all(abs(float(x) - float(y)) <= tolerance(x) for x, y in pairs)


def last_place(number: str) -> float:
    """The value of one unit of a number's last digit."""
    return 1.01 * 10.0 ** -len(number.partition(".")[2])
