"""The folders of the book and the names of its pages."""

from pathlib import Path

from course.registry import ROOT, Exercise, load_registry

BOOK = ROOT / "book"
SRC = BOOK / "src"
BUILD = BOOK / "build"
FIGURES, NUMBERS, REPORTS = SRC / "figures", SRC / "numbers", SRC / "reports"
NARROW = FIGURES / "narrow"  # the charts again, for phones
LOSSES = SRC / "losses"
TERMINALS = SRC / "terminals"


class BookError(ValueError):
    """A page cannot be built; the message is one sentence."""


def key_of(name: str) -> str:
    """The key of a page's numbers and reports: ``step_08`` → ``s08``."""
    keys = {exercise.file: exercise.key for exercise in load_registry()}
    return keys.get(Path(name).stem, Path(name).stem)


def exercise_of(name: str) -> Exercise:
    """The exercise with this key, or with this file.

    Raises:
        BookError: there is no such exercise.
    """
    for exercise in load_registry():
        if name in (exercise.key, exercise.file):
            return exercise
    known = ", ".join(exercise.key for exercise in load_registry())
    raise BookError(f"there is no exercise {name!r} (there are {known})")
