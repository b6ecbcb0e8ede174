"""The learner's files: recognizing an untouched one, comparing, starting anew."""

import difflib
import shutil
import time
from pathlib import Path

from course.commands import typed
from course.registry import ROOT, Exercise, as_step


class StepFileError(Exception):
    """A file could not be compared or replaced; the message says what to do."""


def is_untouched(path: Path, exercise: Exercise) -> bool:
    """Whether a file is the skeleton still.

    An editor or a checkout may change how lines end, and add or drop empty lines at
    the end of the file. A learner has not begun because of that.
    """
    skeleton = ROOT / exercise.skeleton_path
    return skeleton.exists() and lines_of(path) == lines_of(skeleton)


def lines_of(path: Path) -> list[bytes]:
    """A file's lines without what ends them, and without empty ones at the end."""
    return path.read_bytes().rstrip().splitlines()


def compare(exercise: Exercise) -> list[tuple[str, str]]:
    """Lines of the learner's file beside those of the solution, aligned.

    Raises:
        StepFileError: the learner's file is not there.
    """
    path = ROOT / exercise.step_path
    if not path.exists():
        raise StepFileError(
            f"There is no file {exercise.step_path}; "
            f"{typed(f'course reset {exercise.short}')} makes it."
        )
    yours = path.read_text(errors="replace").splitlines()
    theirs = as_step((ROOT / exercise.solution_path).read_text()).splitlines()
    rows: list[tuple[str, str]] = []
    matcher = difflib.SequenceMatcher(None, yours, theirs, autojunk=False)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        height = max(i2 - i1, j2 - j1)
        left = yours[i1:i2] + [""] * (height - (i2 - i1))
        right = theirs[j1:j2] + [""] * (height - (j2 - j1))
        rows += zip(left, right, strict=True)
    return rows


def reset(exercise: Exercise) -> Path | None:
    """Puts the skeleton back; returns where the old file is kept, if there was one.

    Raises:
        StepFileError: it is the skeleton already, or the skeleton is not there.
    """
    path, skeleton = ROOT / exercise.step_path, ROOT / exercise.skeleton_path
    if not skeleton.exists():
        raise StepFileError(
            f"There is no file {exercise.skeleton_path}; "
            "take it from a fresh copy of the course."
        )
    if path.exists() and is_untouched(path, exercise):
        raise StepFileError(f"{exercise.step_path} is the untouched skeleton already.")
    backup = keep_backup(path) if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(skeleton, path)
    return backup


def keep_backup(path: Path) -> Path:
    """Copies a file into ``.course/backups`` under a name that is not taken."""
    folder = ROOT / ".course" / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%d-%H%M%S")
    backup = folder / f"{path.stem}-{stamp}.py"
    while backup.exists():
        backup = backup.with_stem(backup.stem + "x")
    shutil.copy2(path, backup)
    return backup
