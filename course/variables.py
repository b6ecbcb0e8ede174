"""Watches the variables of a learner's code while one call runs; part of the worker."""

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

MOST = 80  # variables, so that a long loop does not fill the memory
EVENTS = sys.monitoring.events
WATCHED = EVENTS.PY_START | EVENTS.LINE | EVENTS.PY_RETURN


class VariableWatch:
    """Notes every array that a line of some functions gives to a variable.

    Python reports only the lines of these functions, so that all others run as fast as
    without a watch (PEP 669).

    Args:
        codes: the functions' code.
        is_array: says whether a value is worth noting.
    """

    def __init__(
        self, codes: Iterable[CodeType], is_array: Callable[[Any], bool]
    ) -> None:
        self.codes, self.is_array = list(codes), is_array
        self.found: list[tuple[str, int, str, Any]] = []  # file, line, name, value
        self.before: dict[FrameType, tuple[int, dict[str, Any]]] = {}

    def __enter__(self) -> "VariableWatch":
        free = [i for i in range(6) if sys.monitoring.get_tool(i) is None]
        self.tool = free[0]  # a debugger, and programs that measure, use some
        sys.monitoring.use_tool_id(self.tool, "course")
        register = partial(sys.monitoring.register_callback, self.tool)
        register(EVENTS.PY_START, self.start)
        register(EVENTS.LINE, self.line)
        register(EVENTS.PY_RETURN, self.leave)
        for code in self.codes:
            sys.monitoring.set_local_events(self.tool, code, WATCHED)
        return self

    def __exit__(self, *error: object) -> None:
        for code in self.codes:
            sys.monitoring.set_local_events(self.tool, code, 0)
        sys.monitoring.free_tool_id(self.tool)
        self.before.clear()

    def start(self, code: CodeType, offset: int) -> None:
        """Remembers a function's arguments: its lines have not made these."""
        frame = sys._getframe(1)
        self.before[frame] = code.co_firstlineno, dict(frame.f_locals)

    def line(self, code: CodeType, number: int) -> None:
        """Notes what the line before has changed."""
        self.note(sys._getframe(1), number)

    def leave(self, code: CodeType, offset: int, result: Any) -> None:
        """Notes what the last line has changed, and what it returns."""
        frame = sys._getframe(1)
        number = self.note(frame, 0)
        if self.is_array(result):
            self.keep(code.co_filename, number, "", result)

    def note(self, frame: FrameType, number: int) -> int:
        """Notes the changed variables of a frame; returns the line that ran last."""
        line, known = self.before.get(frame, (0, {}))
        now = dict(frame.f_locals)
        for name, value in now.items():
            if known.get(name) is not value and self.is_array(value):
                self.keep(frame.f_code.co_filename, line, name, value)
        self.before[frame] = number, now
        return line

    def keep(self, file: str, line: int, name: str, value: Any) -> None:
        if len(self.found) < MOST:
            self.found.append((file, line, name, value))


def codes_of(module: ModuleType) -> Iterator[CodeType]:
    """Yields the code of the functions and methods of a module's own text."""
    values = list(vars(module).values())
    values += [v for c in values if isinstance(c, type) for v in vars(c).values()]
    own = getattr(module, "__file__", f"<{module.__name__}>")
    for value in values:
        if isinstance(value, FunctionType) and value.__code__.co_filename == own:
            yield from with_inner(value.__code__)


def with_inner(code: CodeType) -> Iterator[CodeType]:
    """Yields a function's code, and that of the functions inside it.

    Lambdas and generator expressions are left out: no line can print their variables.
    """
    if not code.co_name.startswith("<"):
        yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from with_inner(constant)
