"""Grades an attempt at an exercise, with borrowed earlier steps, and records it."""

import os
import time
from contextlib import suppress
from pathlib import Path

from course.grading import Grading, Target, load_checks
from course.history import Event, History
from course.outcomes import Check, Outcome
from course.process import WorkerProcess
from course.registry import Exercise, prerequisites
from course.report import Report
from course.state import Progress


class Attempt:
    """Grades one exercise, prints the report and records the result.

    Args:
        exercise: the exercise to grade.
        target: the file to grade, and how.
        progress: the learner's records: read for earlier steps, given the result.
        worker: a fresh worker, because learner code may change anything in a worker.
        report: prints the grading; None prints nothing.
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
        self.records = not target.solutions and can_be_read(target.path(exercise))
        # Computed before grading, because the learner may save the file meanwhile.
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
        """Runs every check; returns whether all of them passed."""
        for check in load_checks(self.grading.exercise):
            self.run(check)
        self.end()
        return self.grading.passed

    def end(self) -> None:
        """Records the result and prints what to do next."""
        grading = self.grading
        if self.closes:  # closing also reads the rest of the output
            grading.worker.close()
        seconds = time.perf_counter() - self.started
        known = grading.passed or grading.first_failure is not None
        if known and self.records:
            self.progress.record(
                grading.exercise, self.digest, passed=grading.passed, seconds=seconds
            )
            with suppress(OSError):  # the report says it of the other record
                History(grading.target.steps_dir).add(event_of(grading))
        if self.report:
            self.report.end(grading, seconds)
            self.report.not_kept(self.progress.not_kept)


def event_of(grading: Grading) -> Event:
    """Returns a finished grading as an event, with what was wrong."""
    first = grading.first_failure
    mistake = None
    if first and first.state == "failed":
        mistake = first.diagnosis.cause or first.check.sentence
    return Event(grading.exercise.key, time.time(), grading.passed, mistake)


def can_be_read(path: Path) -> bool:
    """Says whether a path is that of a file which this user may read."""
    return path.is_file() and os.access(path, os.R_OK)


def borrow(exercise: Exercise, target: Target, progress: Progress) -> dict[str, str]:
    """Maps the module of each unfinished earlier step to its solution's module.

    A changed file is graded first, so that no solution replaces a finished step.
    """
    lent: dict[str, str] = {}
    for earlier in prerequisites(exercise):
        if up_to_date_status(earlier, target, progress) != "passed":
            lent[earlier.step_module] = earlier.solution_module
    return lent


def up_to_date_status(exercise: Exercise, target: Target, progress: Progress) -> str:
    """Returns an exercise's status; grades a changed file first."""
    if progress.status(exercise) == "changed":
        Attempt(exercise, target, progress, WorkerProcess()).run_all()
    return progress.status(exercise)
