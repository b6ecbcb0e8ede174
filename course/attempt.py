"""An attempt at an exercise, graded: what is borrowed, checked and remembered."""

import time

from course.grading import Check, Grading, Outcome, Target, load_checks
from course.process import WorkerProcess
from course.registry import Exercise, find_exercise
from course.report import Report
from course.state import Progress


class Attempt:
    """One exercise's grading, with its report (if any) and its record.

    Args:
        exercise: what is graded.
        target: which file, and how.
        progress: the learner's records; asked for earlier steps, told the result.
        worker: a fresh worker, for learner code may do anything to it.
        report: where to print; None grades in silence.
        mine: never borrow an unfinished earlier step.
        closes: close the worker at the end.
    """

    def __init__(
        self,
        exercise: Exercise,
        target: Target,
        progress: Progress,
        worker: WorkerProcess,
        *,
        report: Report | None = None,
        mine: bool = False,
        closes: bool = True,
    ) -> None:
        self.started = time.perf_counter()
        self.progress, self.report, self.closes = progress, report, closes
        self.records = not target.solutions and target.path(exercise).exists()
        # Taken now: the file may be saved again while it is graded.
        self.digest = progress.digest(exercise) if self.records else ""
        lend = not (mine or target.solutions)
        borrowed = borrow(exercise, target, progress) if lend else {}
        self.grading = Grading(exercise, target, worker, borrowed)
        if report:
            report.begin(self.grading)

    def run(self, check: Check) -> Outcome:
        """Runs one check and prints its line."""
        outcome = self.grading.run(check)
        if self.report:
            self.report.check(outcome)
        return outcome

    def run_all(self) -> bool:
        """Runs every check; says whether the exercise is right."""
        for check in load_checks(self.grading.exercise):
            self.run(check)
        self.end()
        return self.grading.passed

    def end(self) -> None:
        """Remembers the result and prints what to do next."""
        grading = self.grading
        if self.closes:  # so all that the code printed is read
            grading.worker.close()
        seconds = time.perf_counter() - self.started
        complete = len(grading.outcomes) == len(load_checks(grading.exercise))
        if complete and self.records:
            self.progress.record(
                grading.exercise, self.digest, passed=grading.passed, seconds=seconds
            )
        if self.report:
            self.report.end(grading, seconds)


def prerequisites(exercise: Exercise) -> list[Exercise]:
    """Every earlier exercise that this one builds on, directly or not, in order."""
    found: dict[str, Exercise] = {}
    for key in exercise.builds_on:
        earlier = find_exercise(key)
        found |= {e.key: e for e in [*prerequisites(earlier), earlier]}
    return sorted(found.values(), key=lambda e: e.number)


def borrow(exercise: Exercise, target: Target, progress: Progress) -> dict[str, str]:
    """Maps each unfinished earlier step's module to the solution that stands in.

    A file that has changed since it was last graded is graded now, so that what is
    lent never hides finished work.
    """
    lent: dict[str, str] = {}
    for earlier in prerequisites(exercise):
        if up_to_date_status(earlier, target, progress) != "passed":
            lent[earlier.step_module] = earlier.solution_module
    return lent


def up_to_date_status(exercise: Exercise, target: Target, progress: Progress) -> str:
    """An exercise's status, after grading it if its file has changed."""
    if progress.status(exercise) == "changed":
        Attempt(exercise, target, progress, WorkerProcess()).run_all()
    return progress.status(exercise)
