"""The checks that a change of a solution can reach.

The solution passes the others, so a wrong version need not run them.
"""

import ast
import re

from course import mojo_module
from course.grading import Check, load_checks
from course.registry import ROOT, Exercise

DEFINITION = ast.FunctionDef | ast.ClassDef


class Reach:
    """Finds the checks of an exercise whose functions use a changed definition."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.read = definitions if exercise.in_python else mojo_module.definitions
        solution = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
        checker = (ROOT / exercise.checker_path).read_text(encoding="utf-8")
        self.solution = self.read(solution)
        texts = definitions(checker)
        self.words = {
            check.name: reached(self.solution, reached(texts, {check.name}))
            for check in load_checks(exercise)
        }

    def checks(self, source: str) -> list[Check]:
        """Returns the checks that may fail for a wrong version, in their order."""
        changed = self.changed_names(source)
        checks = load_checks(self.exercise)
        return [check for check in checks if changed & self.words[check.name]]

    def changed_names(self, source: str) -> set[str]:
        """Returns the names of the definitions that a wrong version changes."""
        wrong = self.read(source)
        names = self.solution.keys() | wrong.keys()
        return {n for n in names if self.solution.get(n) != wrong.get(n)}


def definitions(source: str) -> dict[str, str]:
    """Maps top-level functions and classes to their text, and "" to all other lines."""
    found: dict[str, str] = {}
    for statement in ast.parse(source).body:
        name = statement.name if isinstance(statement, DEFINITION) else ""
        found[name] = found.get(name, "") + ast.unparse(statement)
    return found


def reached(texts: dict[str, str], names: set[str]) -> set[str]:
    """Collects the words of definitions, and of the definitions that they refer to."""
    words, waiting = set(), ["", *names]
    while waiting:
        if (name := waiting.pop()) not in words:
            words.add(name)
            waiting += re.findall(r"\w+", texts.get(name, ""))
    return words
