"""Every known mistake fails its checker, and the learner reads its sentence."""

from dataclasses import replace

import pytest

from course.catalogue import load_mistakes
from course.dev.reach import Reach
from course.diagnosis import Diagnoser
from course.grading import Grading, Target, load_checks
from course.locating import Place
from course.mistakes import Mistake
from course.outcomes import Check, Diagnosis, Outcome, alike
from course.process import WorkerProcess
from course.registry import Exercise, load_registry

EXERCISES = load_registry()


class CatalogueDiagnoser(Diagnoser):
    """Explains a mistake as if a learner had made it, and keeps every result for reuse.

    So each mistake runs each check once. A real diagnosis runs both the learner's file
    and the mistake: the book's reports test that the two runs give the same result.
    """

    def __init__(self, exercise: Exercise, worker: WorkerProcess) -> None:
        grading = Grading(exercise, Target(), worker)
        solution = grading.variant(None)
        super().__init__(exercise, solution, grading.variant, self.graded_outcomes)
        self.outcomes: dict[tuple[str, str], Outcome] = {}
        self.graded: tuple[Mistake, Check]
        self.reach = Reach(exercise)

    def diagnose(self, mistake: Mistake) -> Outcome | None:
        """Returns a mistake's first failure with its diagnosis, or None."""
        for check in load_checks(self.exercise):
            outcome = self.try_mistake(mistake, check)
            if outcome.state == "failed":
                self.graded = mistake, check
                return replace(outcome, diagnosis=self.explain(outcome))
        return None

    def graded_outcomes(self) -> list[Outcome]:
        """Returns what the graded mistake gives in the checks after its first.

        Later checks are left out where no other mistake gives the same in the first.
        """
        mistake, first = self.graded
        outcome = self.try_mistake(mistake, first)
        known = self.known(load_mistakes, outcome)
        same = [m for m in known if alike(self.try_mistake(m, first), outcome)]
        if same == [mistake]:
            return []
        checks = load_checks(self.exercise)
        later = checks[checks.index(first) + 1 :]
        return [self.try_mistake(mistake, check) for check in later]

    def try_mistake(self, mistake: Mistake, check: Check) -> Outcome:
        """Runs each check once on each mistake.

        A check that reaches no changed definition is not run: the solution passes it.
        """
        if check not in self.reach.checks(mistake.source):
            return Outcome(check, "passed")
        key = mistake.name, check.name
        if key not in self.outcomes:
            self.outcomes[key] = super().try_mistake(mistake, check)
        return self.outcomes[key]

    def alike_to_the_end(self, mistake: Mistake, failure: Outcome) -> bool:
        """Leaves it at the first wrong numbers: every mistake would run twice."""
        return True

    def wrong_line(self, failure: Outcome) -> tuple[Place, ...]:
        """Looks for no line: a mistake's text is not the learner's file."""
        return ()

    def symptom(self, failure: Outcome) -> Diagnosis:
        """Looks for no symptom: these mistakes have a cause."""
        return Diagnosis()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.key)
def test_every_mistake_is_named(
    exercise: Exercise, worker: WorkerProcess, compiled: list[str]
) -> None:
    diagnoser = CatalogueDiagnoser(exercise, worker)
    wrong = {}
    for mistake in load_mistakes(exercise):
        failure = diagnoser.diagnose(mistake)
        if failure is None:
            wrong[mistake.name] = "passes every check"
        elif failure.check.name != mistake.check:
            wrong[mistake.name] = f"fails {failure.check.name} first"
        elif failure.diagnosis.cause != mistake.says:
            wrong[mistake.name] = f"is taken for: {failure.diagnosis.cause}"
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
