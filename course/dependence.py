"""Finds what a result depends on and should not, or should depend on and does not.

The grader makes one of the check's calls again, each time with one thing changed: an
argument, a token, a text, a parameter. It makes the same calls of the solution.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from course.checks import AXES, usual_axes
from course.evidence import Evidence, arrays_in
from course.messages import Handle
from course.registry import ROOT, Exercise
from course.student import Raised, Recorded, Remote, Student

ENOUGH = 1e-5  # a smaller change is rounding
MOST = 20  # parameters that are tried: a model's later blocks only take time


@dataclass(frozen=True)
class Change:
    """One changed argument.

    Attributes:
        what: the changed thing, such as "`x`" or "the last token of `x`".
        place: the index of the argument, or its name.
        values: the arguments to try in its place. A small change moves nothing where a
            function is flat, so a large one is tried as well.
        axis: the name of the axis on which one place alone is changed; empty if all is.
        first: True if that place is the first one, not the last.
    """

    what: str
    place: int | str
    values: Sequence[Any]
    axis: str = ""
    first: bool = False


@dataclass(frozen=True)
class Bench:
    """A code under test, and one of its calls to make again."""

    student: Student
    call: Recorded
    states: Mapping[int, Mapping[str, np.ndarray]]

    @cached_property
    def base(self) -> list[np.ndarray] | None:
        """The result of the call as it was made."""
        return self.result()

    def moved_by(self, change: Change, count: int) -> np.ndarray | None:
        """Marks the numbers that any of the first ``count`` values moves.

        None if the code raises an exception.
        """
        results = [self.result(change.place, v) for v in change.values[:count]]
        return union(self.base, results)

    def moved_by_parameter(self, number: int, name: str, value: Any) -> Any:
        """Marks the numbers that another value of a parameter moves; None as above."""
        state = self.states[number]
        try:
            Remote(self.student, Handle(number, "")).load({**state, name: value})
        except Raised:
            return None
        return union(self.base, [self.result()])

    def restore(self, number: int) -> None:
        """Loads a module's own weights again."""
        Remote(self.student, Handle(number, "")).load(self.states[number])

    def result(
        self, place: int | str | None = None, value: Any = None
    ) -> list[np.ndarray] | None:
        """Makes the call, with one other argument; None if the code raises."""
        request = self.call.request
        args, kwargs = list(request.args), dict(request.kwargs)
        if isinstance(place, int):
            args[place] = value
        elif place is not None:
            kwargs[place] = value
        try:
            value = self.student.ask(replace(request, args=tuple(args), kwargs=kwargs))
        except Raised:
            return None
        return [np.asarray(array, np.float64) for array in arrays_in(value)]

    def parameters(self) -> Iterator[tuple[int, str]]:
        """Yields every parameter that the call can use: a handle's number, a name."""
        request = self.call.request
        handles = [self.call.target, *request.args, *request.kwargs.values()]
        for handle in handles:
            if isinstance(handle, Handle):
                for name in self.states.get(handle.id, ()):
                    yield handle.id, name


def explain_dependence(
    exercise: Exercise, yours: tuple[Student, Evidence], right: tuple[Student, Evidence]
) -> str | None:
    """Says in one sentence how the wrong result's dependences differ; None if not.

    Args:
        yours: the learner's code, and what the failing check shows of it.
        right: the solution, and what the same check shows of it.
    """
    benches = pair_of_benches(yours, right)
    if benches is None:
        return None
    mine, solution = benches
    if mine.base is None or solution.base is None:
        return None
    former, goal = (
        [np.asarray(a, np.float64) for a in arrays_in(bench.call.result)]
        for bench in benches
    )
    if moved(former, mine.base).any() and not moved(goal, solution.base).any():
        return "The same call gives another result when it is made again."
    names = argument_names(exercise, mine.call, yours[1].recording.held)
    if sentence := unused_parameter(mine, solution):
        return sentence
    for change in changes(mine.call, names):
        for count in (1, len(change.values)):  # the others only to make sure
            found, due = (b.moved_by(change, count) for b in (mine, solution))
            if found is None or due is None:
                break
            sentence = contrast(change, found, due)
            if sentence is None:
                break
        else:
            return sentence
    return None


def pair_of_benches(
    yours: tuple[Student, Evidence], right: tuple[Student, Evidence]
) -> tuple[Bench, Bench] | None:
    """Finds the call behind the first wrong comparison, in both codes."""
    index = yours[1].wrong_call
    if index is None or index >= len(right[1].recording.calls):
        return None
    mine, solution = (
        Bench(student, e.recording.calls[index], e.recording.states)
        for student, e in (yours, right)
    )
    return mine, solution


def unused_parameter(mine: Bench, solution: Bench) -> str | None:
    """Names a parameter that the solution uses and the learner's code does not."""
    pairs = list(zip(mine.parameters(), solution.parameters(), strict=False))
    try:
        for (number, name), (other, same) in pairs[:MOST]:
            values = others(mine.states[number][name])
            if any(is_used(mine, number, name, value) for value in values):
                continue
            if any(is_used(solution, other, same, value) for value in values):
                what = f"the parameter `{name}`"
                return f"In this call, no change of {what} changes the result."
    finally:
        for bench, index in ((mine, 0), (solution, 1)):
            for number in {pair[index][0] for pair in pairs}:
                bench.restore(number)
    return None


def is_used(bench: Bench, number: int, name: str, value: np.ndarray) -> bool:
    """Says whether another value of a parameter moves the result, or ends the call."""
    marks = bench.moved_by_parameter(number, name, value)
    return marks is None or bool(marks.any())


def contrast(change: Change, found: np.ndarray, due: np.ndarray) -> str | None:
    """Compares which numbers a change moves with which numbers it has to move."""
    if due.any() and not found.any():
        if change.axis:
            return f"In this call, no change of {change.what} alone changes the result."
        return f"In this call, no change of {change.what} changes the result."
    if found.any() and not due.any():
        return f"The result changes when only {change.what} changes; it must not."
    if found.shape != due.shape or not change.axis:
        return None
    if where := other_places(change, found, due):
        return f"When only {change.what} changes, {where} changes too; it must not."
    if where := other_places(change, due, found):
        return f"When only {change.what} changes, {where} stays the same; it must not."
    return None


def other_places(change: Change, moving: np.ndarray, still: np.ndarray) -> str:
    """Says where on the changed axis numbers move in one code and none in the other.

    Empty if there is no such place, or if the axis is not one of the result.
    """
    names = axes_of(moving)
    if change.axis not in names:
        return ""
    axis = names.index(change.axis)
    others = tuple(i for i in range(moving.ndim) if i != axis)
    hit = moving.any(axis=others) & ~still.any(axis=others)
    if hit[0] if change.first else hit[-1]:
        return f"the result of the {'first' if change.first else 'last'} {change.axis}"
    if not hit.any():
        return ""
    which = "a later" if change.first else "an earlier"
    return (
        f"the result of {'another' if change.axis == 'text' else which} {change.axis}"
    )


def union(
    before: list[np.ndarray] | None, results: Sequence[list[np.ndarray] | None]
) -> np.ndarray | None:
    """Marks the numbers that any of the results moves; None if one is missing."""
    if before is None or any(result is None for result in results):
        return None
    marks = [moved(before, result or []) for result in results]
    same = all(mark.shape == marks[0].shape for mark in marks)
    return np.logical_or.reduce(marks) if same else np.ones(1, bool)


def moved(before: list[np.ndarray], after: list[np.ndarray] | None) -> np.ndarray:
    """Marks the numbers of the first array that a change has moved."""
    if not after or not before or before[0].shape != after[0].shape:
        return np.ones(1, bool)
    a, b = before[0], after[0]
    with np.errstate(invalid="ignore"):
        far = np.abs(a - b) > ENOUGH * np.maximum(1, np.abs(a))
    return far | (np.isnan(a) != np.isnan(b)) | (np.isinf(a) != np.isinf(b))


def changes(call: Recorded, names: list[str]) -> Iterator[Change]:
    """Yields the changes to try: whole arguments first, then single places."""
    given: dict[int | str, Any] = (
        dict(enumerate(call.request.args)) | call.request.kwargs
    )
    shown = {
        place: f"`{names[place] if isinstance(place, int) else place}`"
        for place in given
        if isinstance(place, str) or place < len(names)
    }
    for place, name in shown.items():
        if values := others(given[place]):
            yield Change(name, place, values)
    for place, name in shown.items():
        if isinstance(given[place], np.ndarray):
            yield from single_places(given[place], place, name)


def single_places(array: np.ndarray, place: int | str, name: str) -> Iterator[Change]:
    """Yields changes of the last and of the first place on each axis but channels."""
    for axis, axis_name in enumerate(axes_of(array)):
        if axis_name == "channel" or array.shape[axis] < 2:
            continue
        for first in (False, True):
            index: list[Any] = [slice(None)] * array.ndim
            index[axis] = 0 if first else -1
            values = [array.copy() for _ in others(array)]
            for value, other in zip(values, others(array), strict=True):
                value[tuple(index)] = other[tuple(index)]
            which = "first" if first else "last"
            what = f"the {which} {axis_name} of {name}"
            yield Change(what, place, values, axis_name, first)


def axes_of(array: np.ndarray) -> list[str]:
    """The names of an array's axes: ids are [text, token], numbers end in channels.

    Whole numbers below 0 are no ids; they make a table of rows and columns.
    """
    if np.issubdtype(array.dtype, np.integer):
        ids = array.min(initial=0) >= 0
        names = ["text", "token"] if ids else ["row", "column"]
        return names[-array.ndim :] if array.ndim < 3 else []
    return usual_axes(array.ndim) if array.ndim <= len(AXES) else []


def others(value: Any) -> list[Any]:
    """Returns other values of the same kind; none if no other value is known."""
    match value:
        case np.ndarray():
            return other_arrays(value)
        case np.random.Generator():
            return [np.random.default_rng(987_654_321)]
        case bool():
            return [not value]
        case int():
            return [value + 1, value + 2]
        case float():
            return [value * 1.7 + 0.1]
        case list() if value and all(type(item) is int for item in value):
            return [array.tolist() for array in other_arrays(np.array(value))]
    return []


def other_arrays(array: np.ndarray) -> list[np.ndarray]:
    """Returns arrays of the same shape in which every number is another one."""
    if np.issubdtype(array.dtype, np.integer):
        count = max(2, int(array.max(initial=1)) + 1)
        return [(array + more) % count for more in range(1, min(count, 3))]
    noise = np.random.default_rng(5).uniform(0.4, 1.6, array.shape)
    moved = [array + noise, -30 * array + noise]
    return [other.astype(array.dtype) for other in moved]


def argument_names(
    exercise: Exercise, call: Recorded, held: Mapping[int, Any]
) -> list[str]:
    """Returns the names of the positional arguments of a call."""
    if call.target.id in held:
        function = held[call.target.id]
        return list(inspect.signature(function).parameters)
    known = signatures(exercise)
    return known.get(call.request.attribute or call.target.type_name, [])


@cache
def signatures(exercise: Exercise) -> dict[str, list[str]]:
    """Maps functions, and classes by their forward, to their arguments' names.

    A module in Mojo has none: checkers call it through functions of their own.
    """
    if not exercise.in_python:
        return {}
    text = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = [a.arg for a in node.args.args]
        elif isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name == "forward":
                    found[node.name] = [a.arg for a in part.args.args[1:]]
    return found
