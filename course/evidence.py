"""What one check shows of a code: its comparisons, and the calls behind them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from course.comparison import Comparison, collect_comparisons
from course.messages import Array
from course.student import Recording, Student
from tests.oracle.notes import taking_notes

BLOCK = 12  # parameters of a transformer block


@dataclass(frozen=True)
class Evidence:
    """The comparisons of a check, right or wrong, and what it sent to the code."""

    comparisons: list[Comparison]
    recording: Recording

    @property
    def is_large(self) -> bool:
        """True if a module of the check has more parameters than a block."""
        return any(len(state) > BLOCK for state in self.recording.states.values())

    @property
    def wrong(self) -> Comparison | None:
        """The first comparison that is not right."""
        return next((c for c in self.comparisons if c.wrong.any()), None)

    @property
    def wrong_call(self) -> int | None:
        """The index of the last call that gave the first wrong numbers."""
        if self.wrong is None:
            return None
        yours, calls = self.wrong.yours, self.recording.calls
        for index in reversed(range(len(calls))):
            for array in arrays_in(calls[index].result):
                if np.array_equal(array, yours, equal_nan=True):
                    return index
        return None


def gather(function: Any, student: Student) -> Evidence:
    """Runs a check to its end, or to an exception, and collects what it shows."""
    with (
        collect_comparisons() as found,
        taking_notes(),
        student.record() as recording,
        suppress(Exception),
    ):
        function(student)
    return Evidence(found, recording)


def arrays_in(value: Any) -> Iterator[np.ndarray]:
    """Yields the numbers of every array in a result, which may be nested."""
    if isinstance(value, Array):
        yield value.values
    elif isinstance(value, tuple | list):
        for item in value:
            yield from arrays_in(item)
    elif isinstance(value, int | float):
        yield np.array(value)
