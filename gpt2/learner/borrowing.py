"""Decides which steps are the learner's, and borrows the others from the solutions.

The rule and the mechanism are those of the checks: ``course/attempt.py`` says which
step is finished, and ``course/step_imports.py`` serves the imports.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from course.commands import typed
from course.registry import (
    ROOT,
    Exercise,
    find_exercise,
    load_registry,
    prerequisites,
)
from course.state import Progress
from course.step_imports import use_steps

Note = Callable[[str], None]


@dataclass(frozen=True)
class Borrowed:
    """Where ``import steps.step_NN`` takes each exercise from.

    Attributes:
        steps_dir: the folder with the learner's files.
        own: the keys of the learner's exercises, such as ``s08``, in order.
        borrowed: the keys of the exercises that come from the solutions, in order.
    """

    steps_dir: Path
    own: tuple[str, ...]
    borrowed: tuple[str, ...]

    def sentence(self) -> str:
        """Returns a line such as "yours: steps 01–03, 08; borrowed: the rest"."""
        if not self.own:
            start = typed("course next")
            return f"yours: nothing yet; borrowed: everything (begin with: {start})"
        rest = "the rest" if self.borrowed else "nothing"
        return f"yours: {listed(self.own)}; borrowed: {rest}"

    def whose(self, exercise: Exercise) -> str:
        """Says whose a layer is: "yours", or "borrowed, with your steps 02, 08"."""
        if exercise.key in self.own:
            return "yours"
        parts = [e.key for e in prerequisites(exercise) if e.key in self.own]
        return f"borrowed, with your {listed(parts)}" if parts else "borrowed"


def borrow(
    steps_dir: Path | None = None,
    *,
    strict: bool = False,
    own: Collection[str] | None = None,
    note: Note = lambda sentence: None,
) -> Borrowed:
    """Lets ``import steps.step_NN`` give the learner's file or the solution.

    This changes what the whole process imports as ``steps``, until the next call.
    ``steps.step_09`` of the solutions imports ``steps``, too: a borrowed step uses the
    learner's earlier ones.

    Args:
        steps_dir: the folder with the learner's files; None is the course's ``steps/``.
        strict: borrow nothing: begun steps are the learner's, and an import of any
            other raises what its file raises.
        own: the keys of the steps that are the learner's, finished or not; None takes
            those that are ``finished``.
        note: gets a sentence before changed files are graded, which takes seconds.
    """
    folder = folder_of(steps_dir)
    if own is None:
        own = begun(folder) if strict else finished(folder, note)
    keys = {find_exercise(name).key for name in own}
    lent = [e for e in load_registry() if not strict and e.key not in keys]
    use_steps(folder, {e.step_module: e.solution_module for e in lent})
    return Borrowed(folder, in_order(keys), tuple(e.key for e in lent))


def finished(
    steps_dir: Path | None = None, note: Note = lambda sentence: None
) -> list[str]:
    """Returns the keys of the exercises that pass their checks, as files are now.

    As for the checks, a file that has changed since its last check is graded first.
    """
    progress = Progress(folder_of(steps_dir))
    changed = [e for e in load_registry() if progress.status(e) == "changed"]
    if changed:
        note(f"checking what has changed: {listed([e.key for e in changed])} …")
        grade(changed, progress)
        if progress.not_kept:
            note(f"The results are not kept: {progress.not_kept}")
    return passed(progress)


def folder_of(steps_dir: Path | None) -> Path:
    """Returns the folder with the learner's files."""
    return (steps_dir or ROOT / "steps").resolve()


def grade(exercises: Sequence[Exercise], progress: Progress) -> None:
    """Grades changed files, and records the results."""
    from course.attempt import up_to_date_status  # takes half a second
    from course.grading import Target

    for exercise in exercises:
        up_to_date_status(exercise, Target(steps_dir=progress.steps_dir), progress)


def passed(progress: Progress) -> list[str]:
    """Returns the keys of the exercises recorded as passed, without grading any."""
    return [e.key for e in load_registry() if progress.status(e) == "passed"]


def begun(steps_dir: Path | None = None) -> list[str]:
    """Returns the keys of the exercises whose file is no longer the skeleton."""
    progress, blank = Progress(folder_of(steps_dir)), ("to do", "missing")
    return [e.key for e in load_registry() if progress.status(e) not in blank]


def in_order(keys: Collection[str]) -> tuple[str, ...]:
    """Returns keys in the order of the course."""
    return tuple(e.key for e in load_registry() if e.key in keys)


def listed(keys: Collection[str]) -> str:
    """Returns exercises as a person lists them: "steps 01–03, 08, sampling"."""
    exercises = [find_exercise(key) for key in in_order(keys)]
    steps = [e.number for e in exercises if e.is_step]
    word = [f"step{'s' if len(steps) > 1 else ''} {ranges(steps)}"] if steps else []
    return ", ".join([*word, *(e.key for e in exercises if not e.is_step)])


def ranges(numbers: Sequence[int]) -> str:
    """Returns rising numbers with a dash for neighbours: "01–03, 08"."""
    runs = groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])
    found = [[number for _, number in run] for _, run in runs]
    return ", ".join("–".join(f"{n:02}" for n in sorted({r[0], r[-1]})) for r in found)
