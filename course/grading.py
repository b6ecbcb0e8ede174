"""Runs the checks of one exercise on one file, and explains the first failure."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path

from course.checks import CheckFailed
from course.diagnosis import Diagnoser
from course.messages import Load
from course.mistakes import Mistake
from course.outcomes import Check, Diagnosis, Outcome, as_check, outcome_of, run_check
from course.process import Stopped, WorkerProcess
from course.registry import ROOT, Exercise, short
from course.student import Raised, Student

CODE, NAME = re.compile(r"`(.+?)`"), re.compile(r"[^\W\d]\w*")


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
        self.ahead: dict[str, Outcome] = {}  # of checks whose turn has not come

    def run(self, check: Check) -> Outcome:
        """Runs one check; if it is the first to fail, finds the likely mistake."""
        try:
            outcome = self.ahead.pop(check.name, None) or self._timed(check)
            first = outcome.state == "failed" and self.first_failure is None
            if first and self.student and not self.broken:
                diagnosis = self._diagnose(outcome, self.student)
                outcome = replace(outcome, diagnosis=diagnosis)
        except BaseException:  # Ctrl-C, or the time limit of a plugin
            self.broken = True
            self.worker.close()  # its reply would answer the next request
            raise
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

    def _timed(self, check: Check) -> Outcome:
        started = time.perf_counter()
        outcome = self._attempt(check)
        return replace(outcome, seconds=time.perf_counter() - started)

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

    def _diagnose(self, failure: Outcome, student: Student) -> Diagnosis:
        """Explains a failure. Later checks have to run for that, and are kept."""
        diagnoser = Diagnoser(
            self.exercise, student, self.variant, partial(self._run_after, failure)
        )
        try:
            return self._with_names(diagnoser.explain(failure))
        except Stopped:  # the learner's code was in the same process
            self.broken = True
        except Exception:  # odd results may surprise it, and the verdict stays
            pass
        return failure.diagnosis

    def _with_names(self, found: Diagnosis) -> Diagnosis:
        """Adds the names in a mistake's sentence that are not in the learner's file."""
        source = self.target.path(self.exercise).read_text(encoding="utf-8")
        sentence = found.cause or found.seen_with or ""
        return replace(found, solution_names=names_not_in(source, sentence))

    def _run_after(self, failure: Outcome) -> list[Outcome]:
        """Runs the checks after a failed one; each keeps its outcome for its turn."""
        names = [check.name for check in load_checks(self.exercise)]
        later = load_checks(self.exercise)[names.index(failure.check.name) + 1 :]
        self.ahead |= {check.name: self._timed(check) for check in later}
        return [self.ahead[check.name] for check in later]

    def variant(self, mistake: Mistake | None) -> Student:
        """Loads the solution, or a wrong version of it, in the same worker."""
        source = mistake.source if mistake else None
        return self._open(Load(self.exercise.solution_module, source=source))

    def _open(self, load: Load) -> Student:
        tensors = not self.exercise.on_numpy
        return Student(self.worker, load, self.target.limit, tensors=tensors)


def names_not_in(source: str, sentence: str) -> tuple[str, ...]:
    """Returns the names in a sentence's code, such as `x + y`, that a source lacks."""
    names = {name for code in CODE.findall(sentence) for name in NAME.findall(code)}
    return tuple(sorted(names - set(NAME.findall(source))))
