"""Compares learners' files with skeletons and solutions, and resets them."""

import difflib
import shutil
import time
from pathlib import Path

from course.commands import typed
from course.registry import ROOT, Exercise, as_step


class StepFileError(Exception):
    """A file could not be compared or replaced; the message says what to do."""


def is_untouched(path: Path, exercise: Exercise) -> bool:
    """Says whether a file still equals the skeleton.

    Line endings, and empty lines at the end of the file, do not count: editors and
    checkouts change them.
    """
    skeleton = ROOT / exercise.skeleton_path
    return skeleton.exists() and lines_of(path) == lines_of(skeleton)


def lines_of(path: Path) -> list[bytes]:
    """Reads a file's lines, without line endings or empty lines at the end."""
    return path.read_bytes().rstrip().splitlines()


def compare(exercise: Exercise) -> list[tuple[str, str]]:
    """Aligns the lines of the learner's file with those of the solution.

    Raises:
        StepFileError: the learner's file does not exist.
    """
    path = ROOT / exercise.step_path
    if not path.exists():
        raise StepFileError(
            f"There is no file {exercise.step_path}; "
            f"{typed(f'course reset {exercise.short}')} makes it."
        )
    yours = path.read_text(encoding="utf-8", errors="replace").splitlines()
    theirs = as_step(
        (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    ).splitlines()
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
        StepFileError: the file equals the skeleton, or the skeleton does not exist.
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
    backup = folder / f"{path.stem}-{stamp}{path.suffix}"
    while backup.exists():
        backup = backup.with_stem(backup.stem + "x")
    shutil.copy2(path, backup)
    return backup
