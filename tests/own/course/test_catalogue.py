"""Every known mistake fails its checker, and the learner reads its sentence."""

import ast
import re
from dataclasses import replace
from functools import cache

import pytest

from course.catalogue import Mistake, load_mistakes
from course.grading import Grading, Outcome, Target, load_checks
from course.process import WorkerProcess
from course.registry import ROOT, Exercise, load_registry

EXERCISES = load_registry()
DEFINITION = ast.FunctionDef | ast.ClassDef


class OneWorkerGrading(Grading):
    """Grades a mistake as if a learner had made it, and keeps every result for reuse.

    So each mistake runs each check once. A real diagnosis runs both the learner's file
    and the mistake: the book's reports test that the two runs give the same result.
    """

    def __init__(self, exercise: Exercise, worker: WorkerProcess) -> None:
        super().__init__(exercise, Target(), worker)
        self.try_mistake = cache(self.try_mistake)  # type: ignore[method-assign]
        self.solution = definitions((ROOT / exercise.solution_path).read_text())
        checker = definitions((ROOT / exercise.checker_path).read_text())
        self.reach = {
            check.name: reached(self.solution, reached(checker, {check.name}))
            for check in load_checks(exercise)
        }

    def diagnose(self, mistake: Mistake) -> Outcome | None:
        """Returns a mistake's first failure with its likely cause, or None.

        A check that reaches no changed definition is not run: the solution passes it.
        """
        changed = self.changed_names(mistake)
        for check in load_checks(self.exercise):
            if changed & self.reach[check.name]:
                outcome = self.try_mistake(mistake, check)
                if outcome.state == "failed":
                    student = self.with_mistake(mistake)
                    return replace(outcome, cause=self._diagnose(outcome, student))
        return None

    def changed_names(self, mistake: Mistake) -> set[str]:
        """Returns the names of the solution's definitions that a mistake changes."""
        wrong = definitions(mistake.source)
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


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_every_mistake_is_named(
    exercise: Exercise, worker: WorkerProcess, compiled: list[str]
) -> None:
    grading = OneWorkerGrading(exercise, worker)
    wrong = {}
    for mistake in load_mistakes(exercise):
        failure = grading.diagnose(mistake)
        if failure is None:
            wrong[mistake.name] = "passes every check"
        elif failure.check.name != mistake.check:
            wrong[mistake.name] = f"fails {failure.check.name} first"
        elif failure.cause != mistake.says:
            wrong[mistake.name] = f"is taken for: {failure.cause}"
    assert wrong == {}
    assert compiled == [], "runtime/kernels.toml should have it"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_catalogue_is_large_enough(exercise: Exercise) -> None:
    mistakes = load_mistakes(exercise)
    hard = exercise.key in ("s08", "s09", "s12", "s14")
    assert len(mistakes) >= (8 if hard else 5)
    assert len({m.name for m in mistakes}) == len(mistakes)
    assert len({m.says for m in mistakes}) == len(mistakes)


def test_catalogue_knows_85_mistakes_in_the_steps() -> None:
    assert sum(len(load_mistakes(e)) for e in EXERCISES if e.is_step) >= 85
