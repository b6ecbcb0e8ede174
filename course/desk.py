"""Work on the learner's files: comparing one with its solution, starting it anew."""

import difflib
import shutil
import subprocess
import time
from pathlib import Path

from course.commands import typed
from course.registry import ROOT, Exercise
from course.state import blob_id


class DeskError(Exception):
    """A file could not be compared or replaced; the message says what to do."""


def compare(exercise: Exercise) -> list[tuple[str, str]]:
    """Lines of the learner's file beside those of the solution, aligned.

    Raises:
        DeskError: the learner's file is not there.
    """
    path = ROOT / exercise.step_path
    if not path.exists():
        raise DeskError(
            f"There is no file {exercise.step_path}; "
            f"{typed(f'course reset {exercise.short}')} makes it."
        )
    yours = path.read_text(errors="replace").splitlines()
    ours = (ROOT / exercise.solution_path).read_text()
    theirs = ours.replace("solutions.solution_", "steps.step_").splitlines()
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
        DeskError: it is the skeleton already, or git does not have it.
    """
    path = ROOT / exercise.step_path
    if path.exists() and blob_id(path) == exercise.skeleton:
        raise DeskError(f"{exercise.step_path} is the untouched skeleton already.")
    skeleton = read_skeleton(exercise)
    backup = keep_backup(path) if path.exists() else None
    path.write_bytes(skeleton)
    return backup


def read_skeleton(exercise: Exercise) -> bytes:
    """Asks git for the skeleton's content, which it keeps whatever is committed.

    Raises:
        DeskError: there is no git, or this is not a clone.
    """
    command = ["git", "cat-file", "blob", exercise.skeleton]
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise DeskError(
            "The skeleton comes from git's history, and git does not have it here. "
            f"Take {exercise.step_path} from a fresh clone of the course."
        ) from None
    return result.stdout


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
