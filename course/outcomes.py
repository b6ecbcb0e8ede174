"""Runs one check on one code, and describes the result."""

import inspect
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from course.checks import CheckFailed
from course.commands import typed
from course.comparison import Comparison
from course.locating import Place
from course.messages import Failure
from course.process import Stopped
from course.student import Raised, Student

KEPT = re.compile(r"Weight '(.+)' is missing from the provided weights mapping")
State = Literal["passed", "failed", "to do", "not run"]


@dataclass(frozen=True)
class Check:
    """One test function of a checker; a learner reads its docstring.

    Attributes:
        name: the function's name.
        sentence: the docstring's first line, which says what must hold.
        why: the rest of the docstring, which says why that matters.
    """

    name: str
    sentence: str
    why: str
    function: Callable[[Student], None]


@dataclass(frozen=True)
class Diagnosis:
    """Why a check fails, as far as the grader can say.

    Attributes:
        cause: a known mistake's sentence: its results are the code's in every check.
        symptom: how the code's numbers differ from the right ones.
        seen_with: a known mistake's sentence; the results are equal in this check only.
        solution_names: names in these sentences that the code does not have.
        places: the last line whose variable is right, and the line after it.
    """

    cause: str | None = None
    symptom: str | None = None
    seen_with: str | None = None
    solution_names: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The result of one check."""

    check: Check
    state: State
    message: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    observed: Any = None
    failure: Failure | None = None
    comparison: Comparison | None = None
    diagnosis: Diagnosis = Diagnosis()
    seconds: float = 0.0


def as_check(function: Callable[[Student], None]) -> Check:
    """Splits a test function's docstring into its sentence and its reason.

    With ``python -OO`` there is no docstring, and the name stands for it.
    """
    name = function.__name__
    text = inspect.getdoc(function) or name.removeprefix("test_").replace("_", " ")
    sentence, _, why = text.partition("\n")
    return Check(name, sentence.strip(), " ".join(why.split()), function)


def run_check(check: Check, student: Student) -> Outcome:
    """Runs one check on a loaded module."""
    student.changed.clear()
    outcome = Outcome(check, "passed")
    try:
        check.function(student)
    except Exception as error:
        outcome = outcome_of(check, error)
    if student.changed and outcome.failure is None:  # more telling than a wrong result
        return outcome_of(check, inputs_changed(student.changed))
    return outcome


def inputs_changed(names: list[int | str]) -> CheckFailed:
    """Makes the failure of a check whose code wrote into these arguments."""
    message = "The code writes into its inputs; change a copy instead."
    places = ", ".join(map(argument, dict.fromkeys(names)))
    return CheckFailed(message, [("changed", places)], places)


def argument(name: int | str) -> str:
    """Names an argument by its place or its name."""
    if isinstance(name, str):
        return f"the argument {name}"
    first = ("the first", "the second", "the third")
    return f"{first[name]} argument" if name < len(first) else f"argument {name + 1}"


def outcome_of(check: Check, error: Exception) -> Outcome:
    """Turns the exception that ended a check into an outcome."""
    match error:
        case CheckFailed():
            return Outcome(
                check,
                "failed",
                error.message,
                error.facts,
                error.observed,
                comparison=error.comparison,
                diagnosis=Diagnosis(symptom=error.symptom),
            )
        case Raised(failure=failure) if failure.to_do:
            return Outcome(check, "to do", failure.message, failure=failure)
        case Raised(failure=failure):
            message = explain(failure)
            observed = (failure.type_name, normalized(failure.message))
            return Outcome(check, "failed", message, [], observed, failure)
        case Stopped():
            return Outcome(check, "failed", str(error), [], "stopped")
    # The code returned something on which the checker itself failed.
    trace = "".join(traceback.format_exception(error))
    failure = Failure(type(error).__name__, str(error), [], [], trace)
    message = f"The result cannot be used ({type(error).__name__}: {error})."
    return Outcome(check, "failed", message, [], message, failure)


def explain(failure: Failure) -> str:
    """Says what an exception means in one sentence."""
    match failure.type_name:
        case "SystemExit":
            return "The code calls sys.exit; a step only defines things. Take it out."
        case "EOFError":
            return "The code waits for input, and there is nobody to type. Take it out."
        case "BdbQuit":
            return (
                "The code stops in a debugger, and there is nobody to type. Take out "
                f"breakpoint(). To try things out: {typed('course repl')}"
            )
        case "RecursionError":
            return "A function calls itself without end."
        case "MemoryError":
            return "The code asks for more memory than there is. Look at the shapes."
        case "SyntaxError" | "IndentationError" | "TabError":
            return f"Python cannot read the file: {failure.message}."
        case "MojoError":
            return f"Mojo cannot compile the file: {failure.message}."
    if kept := KEPT.search(failure.message):
        return (
            f"After a call the module has a parameter `{kept[1]}`, which no checkpoint "
            "has: a tensor is kept on self."
        )
    return f"{failure.type_name}: {essence(failure.message)}"


def essence(message: str) -> str:
    """Returns the line of a long MAX message that says what is wrong."""
    _, _, diagnostics = message.partition("Diagnostics:")
    lines = [line.strip() for line in (diagnostics or message).splitlines()]
    telling = [
        x for x in lines if x and not x.startswith("An error occurred in kernel")
    ]
    shown = telling[0] if telling else "(no message)"
    # MAX prints a shape as "#mosh<ape[2, 3]> : !mosh.ape".
    return re.sub(r"#mosh<ape(\[.*?\])> : !mosh\.ape", r"\1", shown)


def normalized(message: str) -> str:
    """Removes addresses, paths and line numbers: they differ in copies of a code."""
    return re.sub(r"0x[0-9a-f]+|[^\s\"']*[/<][^\s\"']*|line \d+", "", message)


def alike(a: Outcome, b: Outcome) -> bool:
    """Says whether two outcomes of one check have the same failure and result."""
    if a.failure and b.failure:
        return a.observed == b.observed and fit(a.failure, b.failure)
    if (a.state, a.message) != (b.state, b.message):
        return False
    return same(a.observed, b.observed)


def fit(a: Failure, b: Failure) -> bool:
    """Says whether two codes can have raised an exception for the same reason.

    Codes of two styles have other variables, but the shapes of one have to occur in the
    other.
    """
    shapes = [{shape for _, shape in failure.tensors} for failure in (a, b)]
    return shapes[0] <= shapes[1] or shapes[0] >= shapes[1]


def same(a: Any, b: Any) -> bool:
    """Says whether two values are equal; arrays may differ by rounding."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and bool(
            np.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True)
        )
    return type(a) is type(b) and a == b
