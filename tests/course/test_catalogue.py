"""Every known mistake fails its checker, and the learner reads its own sentence."""

from functools import cache

import pytest

from course.catalogue import Mistake, load_mistakes
from course.grading import Grading, Outcome, Target, load_checks
from course.process import WorkerProcess
from course.registry import Exercise, load_registry

EXERCISES = load_registry()


class OneWorkerGrading(Grading):
    """Grades a mistake as if a learner had made it; every result is kept for reuse."""

    def __init__(self, exercise: Exercise, worker: WorkerProcess) -> None:
        super().__init__(exercise, Target(), worker)
        self._try_mistake = cache(self._try_mistake)  # type: ignore[method-assign]

    def diagnose(self, mistake: Mistake) -> Outcome | None:
        """The first failure that this mistake leads to, with its likely cause."""
        self.outcomes = []
        self.student = self.with_mistake(mistake)
        for check in load_checks(self.exercise):
            if self.run(check).state == "failed":
                break
        return self.first_failure


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_every_mistake_is_named(exercise: Exercise) -> None:
    worker = WorkerProcess()
    grading = OneWorkerGrading(exercise, worker)
    wrong = {}
    try:
        for mistake in load_mistakes(exercise):
            failure = grading.diagnose(mistake)
            if failure is None:
                wrong[mistake.name] = "passes every check"
            elif failure.check.name != mistake.check:
                wrong[mistake.name] = f"fails {failure.check.name} first"
            elif failure.cause != mistake.says:
                wrong[mistake.name] = f"is taken for: {failure.cause}"
    finally:
        worker.close()
    assert wrong == {}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_catalogue_is_large_enough(exercise: Exercise) -> None:
    mistakes = load_mistakes(exercise)
    hard = exercise.key in ("s08", "s09", "s12", "s14")
    assert len(mistakes) >= (8 if hard else 5)
    assert len({m.name for m in mistakes}) == len(mistakes)
    assert len({m.says for m in mistakes}) == len(mistakes)


def test_catalogue_knows_85_mistakes_in_the_steps() -> None:
    assert sum(len(load_mistakes(e)) for e in EXERCISES if e.is_step) >= 85
