"""Decides which earlier steps are the learner's own and which the solutions lend."""

from course.grading import Grading, Target
from course.registry import Exercise, find_exercise
from course.state import Progress
from course.student import WorkerProcess


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
        if progress.status(earlier) == "changed":
            grade_quietly(earlier, target, progress, lent)
        if progress.status(earlier) != "passed":
            solution = earlier.solution_path.stem
            lent[f"steps.{earlier.file}"] = f"solutions.{solution}"
    return lent


def grade_quietly(
    exercise: Exercise, target: Target, progress: Progress, borrowed: dict[str, str]
) -> Grading:
    """Grades a file and records the result, without a report."""
    worker = WorkerProcess()
    digest = progress.digest(exercise)
    grading = Grading(exercise, target, worker, borrowed)
    try:
        seconds = sum(outcome.seconds for outcome in grading.run_all())
    finally:
        worker.close()
    progress.record(exercise, digest, passed=grading.passed, seconds=seconds)
    return grading
