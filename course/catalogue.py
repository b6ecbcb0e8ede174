"""The catalogue of known mistakes: each is a wrong version of a solution."""

import tomllib

from course.mistakes import Mistake, read_failing
from course.registry import ROOT, Exercise


def load_mistakes(exercise: Exercise) -> list[Mistake]:
    """Reads the mistakes of one exercise; an empty list if there is no file.

    Only the first check that it fails is known of an entry that is not recorded.

    Raises:
        ValueError: the text that an entry replaces is not once in the solution.
    """
    path = ROOT / exercise.mistakes_path
    if not path.exists():
        return []
    solution = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    failing = read_failing(exercise, "catalogue")
    return [
        Mistake(
            entry["name"],
            failing.get(entry["name"], (entry["check"],)),
            entry["says"],
            edited(solution, entry, f"{exercise.key}/{entry['name']}"),
        )
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mistake"]
    ]


def edited(solution: str, entry: dict[str, str], name: str) -> str:
    """Returns the solution's text with an entry's mistake in it.

    Raises:
        ValueError: the entry's ``find`` does not occur exactly once.
    """
    if (count := solution.count(entry["find"])) != 1:
        raise ValueError(f"{name}: found {count} times, not once.")
    return solution.replace(entry["find"], entry["replace"])
