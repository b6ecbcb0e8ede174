"""Runs the checks of one exercise on one file, and finds the likely mistake."""

import inspect
import re
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np

from course.catalogue import Mistake, load_mistakes
from course.checks import CheckFailed
from course.commands import typed
from course.messages import Failure, Load
from course.process import Stopped, WorkerProcess
from course.registry import ROOT, Exercise, short
from course.student import Raised, Student

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
class Outcome:
    """The result of one check."""

    check: Check
    state: State
    message: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    observed: Any = None
    failure: Failure | None = None
    cause: str | None = None  # the sentence of the catalogue's entry that fits
    seconds: float = 0.0


@dataclass(frozen=True)
class Target:
    """The file to grade, and how to grade it.

    Attributes:
        solutions: grade the reference solution instead of the learner's file.
        steps_dir: the folder with the learner's files.
        limit: seconds that one request to the code may take.
    """

    solutions: bool = False
    steps_dir: Path = ROOT / "steps"
    limit: float = 60.0

    def path(self, exercise: Exercise) -> Path:
        """Returns the path of an exercise's graded file."""
        if self.solutions:
            return ROOT / exercise.solution_path
        return self.steps_dir / exercise.step_path.name

    def load(self, exercise: Exercise, borrowed: dict[str, str]) -> Load:
        """Returns the request that imports the graded file."""
        if self.solutions:
            return Load(exercise.solution_module)
        folder = str(self.steps_dir)
        return Load(exercise.step_module, steps_dir=folder, borrowed=borrowed)


@cache
def load_checks(exercise: Exercise) -> list[Check]:
    """Reads the test functions of an exercise's checker, in their order."""
    module = import_module(f"tests.{exercise.checker_path.stem}")
    functions = [f for n, f in vars(module).items() if n.startswith("test_")]
    return [as_check(function) for function in functions]


def as_check(function: Callable[[Student], None]) -> Check:
    """Splits a test function's docstring into its sentence and its reason.

    With ``python -OO`` there is no docstring, and the name stands for it.
    """
    name = function.__name__
    text = inspect.getdoc(function) or name.removeprefix("test_").replace("_", " ")
    sentence, _, why = text.partition("\n")
    return Check(name, sentence.strip(), " ".join(why.split()), function)


class Grading:
    """Runs the checks of one exercise on one file.

    If the file cannot be loaded, or the code ends its process, no further check runs.
    """

    def __init__(
        self,
        exercise: Exercise,
        target: Target,
        worker: WorkerProcess,
        borrowed: dict[str, str] | None = None,
    ) -> None:
        self.exercise, self.target, self.worker = exercise, target, worker
        self.borrowed = borrowed or {}
        self.student: Student | None = None
        self.broken = False
        self.outcomes: list[Outcome] = []

    def run(self, check: Check) -> Outcome:
        """Runs one check; if it is the first to fail, finds the likely mistake."""
        started = time.perf_counter()
        try:
            outcome = self._attempt(check)
        except BaseException:  # Ctrl-C, or the time limit of a plugin
            self.broken = True
            self.worker.close()  # its reply would answer the next request
            raise
        first = outcome.state == "failed" and self.first_failure is None
        if first and self.student and not self.broken:
            outcome = replace(outcome, cause=self._diagnose(outcome, self.student))
        outcome = replace(outcome, seconds=time.perf_counter() - started)
        self.outcomes.append(outcome)
        return outcome

    def run_all(self) -> Iterator[Outcome]:
        """Runs every check of the exercise's checker."""
        for check in load_checks(self.exercise):
            yield self.run(check)

    @property
    def first_failure(self) -> Outcome | None:
        return next((o for o in self.outcomes if o.state in ("failed", "to do")), None)

    @property
    def passed(self) -> bool:
        """True if every check of the exercise ran and passed."""
        return not self.left_out and all(o.state == "passed" for o in self.outcomes)

    @property
    def left_out(self) -> list[Check]:
        """The exercise's checks that were not asked for, or were interrupted."""
        asked = {outcome.check.name for outcome in self.outcomes}
        return [c for c in load_checks(self.exercise) if c.name not in asked]

    def _attempt(self, check: Check) -> Outcome:
        if self.broken:  # a plugin may run a failed check again
            again = [o for o in self.outcomes if o.check == check]
            return again[0] if again else Outcome(check, "not run")
        try:
            student = self.student or self._load()
        except (CheckFailed, Raised, Stopped) as error:
            self.broken = True
            return outcome_of(check, error)
        outcome = run_check(check, student)
        self.broken = self.worker.process.poll() is not None
        return outcome

    def _load(self) -> Student:
        path = self.target.path(self.exercise)
        if not path.exists():
            raise CheckFailed(f"There is no file {short(path)}.")
        student = self._open(self.target.load(self.exercise, self.borrowed))
        self.student = student
        for name in self.exercise.symbols:
            try:
                student.module.get(name)
            except Raised:
                raise CheckFailed(f"{short(path)} does not define {name}.") from None
        return student

    def _diagnose(self, outcome: Outcome, student: Student) -> str | None:
        """Finds the known mistake that gives the same result as the code.

        Only mistakes that fail this check first are tried. If several fit, later
        checks decide.
        """
        known = load_mistakes(self.exercise)
        candidates = [m for m in known if m.check == outcome.check.name]
        candidates = [m for m in candidates if self._fits(m, outcome)]
        for later in self._checks_after(outcome.check):
            if len(candidates) < 2 or self.broken:
                break
            theirs = run_check(later, student)
            fitting = [m for m in candidates if self._fits(m, theirs)]
            candidates = fitting or candidates
        return candidates[0].says if candidates else None

    def _checks_after(self, check: Check) -> list[Check]:
        checks = load_checks(self.exercise)
        names = [c.name for c in checks]
        return checks[names.index(check.name) + 1 :]

    def _fits(self, mistake: Mistake, outcome: Outcome) -> bool:
        try:
            return alike(self.try_mistake(mistake, outcome.check), outcome)
        except Raised:
            return False
        except Stopped:  # the learner's code was in the same process
            self.broken = True
            return False

    def try_mistake(self, mistake: Mistake, check: Check) -> Outcome:
        """Runs one check on the solution with a known mistake in it."""
        return run_check(check, self.with_mistake(mistake))

    def with_mistake(self, mistake: Mistake) -> Student:
        """Loads the solution with one mistake in it, in the same worker."""
        name = self.exercise.solution_module
        return self._open(Load(name, source=mistake.source))

    def _open(self, load: Load) -> Student:
        tensors = not self.exercise.on_numpy
        return Student(self.worker, load, self.target.limit, tensors=tensors)


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
    places = ", ".join(str(name) for name in names)
    return CheckFailed(message, [("changed", f"argument {places}")], places)


def outcome_of(check: Check, error: Exception) -> Outcome:
    """Turns the exception that ended a check into an outcome."""
    match error:
        case CheckFailed():
            return Outcome(check, "failed", error.message, error.facts, error.observed)
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
    if (a.state, a.message) != (b.state, b.message) and not (
        a.failure and b.failure and a.observed == b.observed
    ):
        return False
    return same(a.observed, b.observed)


def same(a: Any, b: Any) -> bool:
    """Says whether two values are equal; arrays may differ by rounding."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and bool(
            np.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True)
        )
    return type(a) is type(b) and a == b
