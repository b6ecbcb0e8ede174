"""Known mistakes, and the recorded checks that each of them fails.

``python -m course.dev.mistakes`` records the checks.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

from course.commands import runner
from course.registry import ROOT, Exercise

FOLDER = Path("tests", "mistakes", "recorded")
Origin = Literal["catalogue", "families"]


@dataclass(frozen=True)
class Mistake:
    """A wrong version of a solution.

    Attributes:
        name: short and unique within its step.
        fails: the test functions that this mistake fails, in the checker's order.
        says: the sentence for a learner who made this mistake.
        source: the whole text of the wrong version.
    """

    name: str
    fails: tuple[str, ...]
    says: str
    source: str

    @property
    def check(self) -> str:
        """The first test function that this mistake fails."""
        return self.fails[0]


class Group(TypedDict):
    """The names of mistakes that fail the same checks."""

    fails: list[str]
    mistakes: list[str]


Table = dict[Origin, list[Group]]


def table_path(exercise: Exercise) -> Path:
    return FOLDER / f"{exercise.file}.json"


def read_failing(exercise: Exercise, origin: Origin) -> dict[str, tuple[str, ...]]:
    """Maps the names of recorded mistakes to the checks that they fail."""
    path = ROOT / table_path(exercise)
    if not path.exists():
        return {}
    table: Table = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: tuple(group["fails"])
        for group in table[origin]
        for name in group["mistakes"]
    }


def stale(exercise: Exercise) -> str:
    """Says how to record an exercise's table again."""
    command = f"{runner()} python -m course.dev.mistakes {exercise.key}"
    return f"{table_path(exercise)} is stale: {command}"
