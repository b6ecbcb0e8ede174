"""The catalogue of known mistakes: wrong versions of each solution, with a sentence."""

import tomllib
from dataclasses import dataclass

from course.registry import ROOT, Exercise


@dataclass(frozen=True)
class Mistake:
    """A wrong version of a solution, made by one edit.

    Attributes:
        name: short and unique within its step.
        check: the first test function that fails because of it.
        find: a piece of the solution's text that occurs in it once.
        replace: what stands there instead.
        says: what a learner who made this mistake reads.
    """

    name: str
    check: str
    find: str
    replace: str
    says: str


def load_mistakes(exercise: Exercise) -> list[Mistake]:
    """Reads the mistakes of one exercise; none where there is no file yet."""
    path = ROOT / exercise.mistakes_path
    if not path.exists():
        return []
    return [Mistake(**entry) for entry in tomllib.loads(path.read_text())["mistake"]]


def apply_mistake(exercise: Exercise, mistake: Mistake) -> str:
    """Edits the solution's text.

    Raises:
        ValueError: the text to replace is not there, or more than once.
    """
    text = (ROOT / exercise.solution_path).read_text()
    if (count := text.count(mistake.find)) != 1:
        raise ValueError(
            f"{exercise.key}/{mistake.name}: found {count} times, not once."
        )
    return text.replace(mistake.find, mistake.replace)
