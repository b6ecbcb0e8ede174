"""The catalogue of known mistakes: each is a wrong version of a solution."""

import tomllib
from dataclasses import dataclass

from course.registry import ROOT, Exercise


@dataclass(frozen=True)
class Mistake:
    """A wrong version of a solution, made by one edit.

    Attributes:
        name: short and unique within its step.
        check: the first test function that this mistake fails.
        find: a text that occurs exactly once in the solution.
        replace: the text that replaces ``find``.
        says: the sentence for a learner who made this mistake.
    """

    name: str
    check: str
    find: str
    replace: str
    says: str


def load_mistakes(exercise: Exercise) -> list[Mistake]:
    """Reads the mistakes of one exercise; an empty list if there is no file."""
    path = ROOT / exercise.mistakes_path
    if not path.exists():
        return []
    return [
        Mistake(**entry)
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mistake"]
    ]


def apply_mistake(exercise: Exercise, mistake: Mistake) -> str:
    """Returns the solution's text with the mistake in it.

    Raises:
        ValueError: ``find`` does not occur exactly once in the solution.
    """
    text = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    if (count := text.count(mistake.find)) != 1:
        raise ValueError(
            f"{exercise.key}/{mistake.name}: found {count} times, not once."
        )
    return text.replace(mistake.find, mistake.replace)
