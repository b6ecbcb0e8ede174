"""Whether two recorded texts say the same, but for the rounding of their numbers."""

import re
from collections.abc import Callable

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def alike(a: str, b: str, tolerance: Callable[[str], float]) -> bool:
    """Whether two texts differ at most in their numbers, and there by little.

    Args:
        a: one text.
        b: the other.
        tolerance: from a number of ``a``, as written, to the largest difference.
    """
    if NUMBER.sub("0", a) != NUMBER.sub("0", b):
        return False
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
    return all(abs(float(x) - float(y)) <= tolerance(x) for x, y in pairs)


def last_place(number: str) -> float:
    """The value of one unit of the last digit: a number may be rounded either way."""
    return 1.01 * 10.0 ** -len(number.partition(".")[2])
