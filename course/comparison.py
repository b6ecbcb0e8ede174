"""What a check compares: the code's numbers, the right ones, and what is known here."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """One comparison of a check: what the code gave, and what it has to give.

    Attributes:
        call: what was called, as the report shows it.
        yours: the code's numbers; of any shape.
        expected: the right numbers, float64.
        known: quantities of the calculation by name: arrays (inputs, parameters,
            intermediate results) and plain numbers (a size's root, a temperature).
        axes: the names of expected's axes, one each, such as ("text", "token").
        tolerance: the largest error, relative to max(1, |expected|), that is right.
    """

    call: str
    yours: np.ndarray
    expected: np.ndarray
    known: Mapping[str, np.ndarray | float]
    axes: tuple[str, ...]
    tolerance: float
