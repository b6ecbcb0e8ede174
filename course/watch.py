"""Grades a file each time it is saved, in a worker that has MAX loaded already."""

from pathlib import Path

import watchfiles
from rich.console import Console

from course.attempt import Attempt
from course.grading import Target
from course.keys import give_back
from course.process import WorkerProcess
from course.registry import Exercise, UnknownExercise, find_exercise
from course.report import Report
from course.state import Progress
from course.voice import Voice, begin_voice
from runtime.ctrl_c import leave_on_ctrl_c


def watch(target: Target, console: Console, *, speaks: bool = True) -> None:
    """Grades each exercise when it is saved, until Ctrl-C; keeps earlier reports.

    Args:
        target: where the steps are, and how to grade them.
        console: where to print.
        speaks: let the model write after a verdict, until a step is saved.
    """
    watcher = Watcher(target, console, speaks=speaks)
    leave_on_ctrl_c(give_back)
    console.print(
        f"Watching {target.steps_dir.name}/; save a step to grade it. Ctrl-C ends."
    )
    changes = watchfiles.watch(target.steps_dir, debounce=400, step=30)
    try:
        for paths in changes:
            if saved := saved_exercises({Path(path) for _, path in paths}):
                watcher.grade(saved)
    finally:
        watcher.close()


class Watcher:
    """Grades what was saved. The worker of the next attempt waits with MAX loaded."""

    def __init__(self, target: Target, console: Console, *, speaks: bool) -> None:
        self.target, self.console, self.speaks = target, console, speaks
        self.progress = Progress(target.steps_dir)
        self.report = Report(console)
        self.spare = WorkerProcess(self.report.compiling)
        self.voice: Voice | None = None

    def grade(self, saved: list[Exercise]) -> None:
        """Grades exercises, and lets the model write if it is only one."""
        self.end_voice()
        speaks = self.speaks and len(saved) == 1
        for exercise in saved:
            self.console.rule(style="dim")
            attempt = Attempt(
                exercise, self.target, self.progress, self.spare, report=self.report
            )
            self.spare = WorkerProcess(self.report.compiling)
            attempt.run_all()
            self.voice = begin_voice(attempt.grading) if speaks else None
        if self.voice:
            self.voice.start(self.console)

    def end_voice(self) -> None:
        """Ends the voice, if there is one."""
        if self.voice:
            self.voice.close()
        self.voice = None

    def close(self) -> None:
        """Ends all processes."""
        self.end_voice()
        self.spare.close()


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
