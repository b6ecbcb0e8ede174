"""Every known mistake fails its checker, and the learner reads its sentence."""

from dataclasses import replace
from functools import cache

import pytest

from course.catalogue import Mistake, load_mistakes
from course.dev.reach import Reach
from course.grading import Grading, Outcome, Target
from course.process import WorkerProcess
from course.registry import Exercise, load_registry

EXERCISES = load_registry()


class OneWorkerGrading(Grading):
    """Grades a mistake as if a learner had made it, and keeps every result for reuse.

    So each mistake runs each check once. A real diagnosis runs both the learner's file
    and the mistake: the book's reports test that the two runs give the same result.
    """

    def __init__(self, exercise: Exercise, worker: WorkerProcess) -> None:
        super().__init__(exercise, Target(), worker)
        self.try_mistake = cache(self.try_mistake)  # type: ignore[method-assign]
        self.reach = Reach(exercise)

    def diagnose(self, mistake: Mistake) -> Outcome | None:
        """Returns a mistake's first failure with its likely cause, or None.

        A check that reaches no changed definition is not run: the solution passes it.
        """
        for check in self.reach.checks(mistake.source):
            outcome = self.try_mistake(mistake, check)
            if outcome.state == "failed":
                student = self.with_mistake(mistake)
                return replace(outcome, cause=self._diagnose(outcome, student))
        return None


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
