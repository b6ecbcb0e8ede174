"""Watches the variables of a learner's code while one call runs; part of the worker."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

MOST = 80  # variables, so that a long loop does not fill the memory


class VariableWatch:
    """Notes every value that a line of the learner's code gives to a variable.

    Args:
        is_own: says whether a file is the learner's.
        is_array: says whether a value is worth noting.
    """

    def __init__(
        self, is_own: Callable[[str], bool], is_array: Callable[[Any], bool]
    ) -> None:
        self.is_own, self.is_array = is_own, is_array
        self.found: list[tuple[str, int, str, Any]] = []  # file, line, name, value
        self.before: dict[FrameType, tuple[int, dict[str, Any]]] = {}

    def __enter__(self) -> "VariableWatch":
        self.outer = sys.gettrace()
        sys.settrace(self.enter)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(self.outer)
        self.before.clear()

    def enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Follows the calls of the learner's own functions."""
        if event != "call" or not self.is_own(frame.f_code.co_filename):
            return None
        self.before[frame] = frame.f_lineno, dict(frame.f_locals)
        return self.step

    def step(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Notes what the last line changed: Python reports a line before it runs."""
        line, known = self.before[frame]
        now = dict(frame.f_locals)
        for name, value in now.items():
            if known.get(name) is not value and self.is_array(value):
                self.keep(frame, line, name, value)
        self.before[frame] = frame.f_lineno, now
        if event == "return" and self.is_array(argument):
            self.keep(frame, frame.f_lineno, "", argument)
        return self.step

    def keep(self, frame: FrameType, line: int, name: str, value: Any) -> None:
        if len(self.found) < MOST:
            self.found.append((frame.f_code.co_filename, line, name, value))
