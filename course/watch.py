"""Grades a file each time it is saved, in a worker that has MAX loaded already."""

from pathlib import Path

import watchfiles
from rich.console import Console

from course.attempt import Attempt
from course.grading import Target
from course.process import WorkerProcess
from course.registry import Exercise, UnknownExercise, find_exercise
from course.report import Report
from course.state import Progress
from runtime.ctrl_c import leave_on_ctrl_c


def watch(target: Target, console: Console) -> None:
    """Grades each exercise when it is saved, until Ctrl-C; keeps earlier reports."""
    progress = Progress(target.steps_dir)
    report = Report(console)
    spare = WorkerProcess(report.compiling)
    leave_on_ctrl_c()
    console.print(
        f"Watching {target.steps_dir.name}/; save a step to grade it. Ctrl-C ends."
    )
    changes = watchfiles.watch(target.steps_dir, debounce=400, step=30)
    try:
        for paths in changes:
            for exercise in saved_exercises({Path(path) for _, path in paths}):
                console.rule(style="dim")
                attempt = Attempt(exercise, target, progress, spare, report=report)
                spare = WorkerProcess(report.compiling)
                attempt.run_all()
    finally:
        spare.close()


def saved_exercises(paths: set[Path]) -> list[Exercise]:
    """Returns the exercises among changed files, in the course's order."""
    found: dict[int, Exercise] = {}
    for path in paths:
        try:
            exercise = find_exercise(path.name)
        except UnknownExercise:
            continue
        if path.name == exercise.step_path.name and path.exists():
            found[exercise.number] = exercise
    return [found[number] for number in sorted(found)]
