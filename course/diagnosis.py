"""Finds out why a check fails: a known mistake, or how the numbers differ."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

from course.catalogue import Mistake, load_mistakes
from course.dependence import explain_dependence
from course.evidence import Evidence, gather
from course.locating import Place, locate
from course.outcomes import Check, Diagnosis, Outcome, alike, outcome_of, run_check
from course.registry import Exercise
from course.student import Raised, Student
from course.symptoms import explain

DONE = ("passed", "failed")  # the states of a check that ran on finished code


class Diagnoser:
    """Explains the first failure of one code.

    Args:
        exercise: the exercise whose check fails.
        student: the code under test.
        variant: loads a wrong version of the solution, or the solution for None.
        later: runs the code's checks after the failing one, in order.
    """

    def __init__(
        self,
        exercise: Exercise,
        student: Student,
        variant: Callable[[Mistake | None], Student],
        later: Callable[[], list[Outcome]],
    ) -> None:
        self.exercise, self.student = exercise, student
        self.variant, self.later = variant, later
        # A rehearsal for the book grades a text in the solution's place.
        self.files = exercise.step_path.name, f"<{exercise.solution_module}>"
        self.loaded: dict[str, Student] = {}
        self.gathered: Evidence | None = None

    def explain(self, failure: Outcome) -> Diagnosis:
        """Looks for a known mistake, then for a symptom.

        Raises:
            Stopped: the worker ended, so that nothing more can be said.
        """
        seen = [m for m in self.candidates(failure) if self.fits(m, failure)]
        others = [o for o in self.later() if o.state in DONE] if seen else []
        possible = None
        for mistake in seen:
            match self.compare(mistake, others):
                case "equal":
                    return Diagnosis(mistake.says, places=self.places(failure))
                case "possible":
                    possible = possible or mistake.says
        found = self.symptom(failure)
        unknown = found == Diagnosis()
        return replace(found, seen_with=possible if unknown else None)

    def candidates(self, failure: Outcome) -> Iterator[Mistake]:
        """Yields the known mistakes that fail this check first."""
        for mistake in load_mistakes(self.exercise):
            if mistake.check == failure.check.name:
                yield mistake

    def fits(self, mistake: Mistake, outcome: Outcome) -> bool:
        """Says whether a mistake gives the same outcome of a check."""
        return alike(self.try_mistake(mistake, outcome.check), outcome)

    def compare(
        self, mistake: Mistake, others: list[Outcome]
    ) -> Literal["equal", "possible", "refuted"]:
        """Compares a mistake with the code in later checks.

        A code may have a second mistake, which later checks show. So a mistake stays
        possible where it passes and the code fails.
        """
        same = True
        for outcome in others:
            its = self.try_mistake(mistake, outcome.check)
            if not alike(its, outcome):
                if its.state != "passed":
                    return "refuted"
                same = False
        return "equal" if same else "possible"

    def try_mistake(self, mistake: Mistake, check: Check) -> Outcome:
        """Runs one check on the solution with a known mistake in it."""
        try:
            if mistake.name not in self.loaded:
                self.loaded[mistake.name] = self.variant(mistake)
        except Raised as error:
            return outcome_of(check, error)
        return run_check(check, self.loaded[mistake.name])

    def symptom(self, failure: Outcome) -> Diagnosis:
        """Says how the numbers differ; only what the check says if it has none."""
        if failure.comparison is None:
            return failure.diagnosis
        places = self.places(failure)
        sentence = explain(self.evidence(failure).comparisons)
        if sentence is None:
            solution = self.variant(None)
            right = gather(failure.check.function, solution)
            yours = self.student, self.evidence(failure)
            sentence = explain_dependence(self.exercise, yours, (solution, right))
        return Diagnosis(symptom=sentence, places=places)

    def places(self, failure: Outcome) -> tuple[Place, ...]:
        """Finds the learner's line up to which the numbers are right."""
        if failure.comparison is None:
            return ()
        return tuple(locate(self.student, self.evidence(failure), self.files))

    def evidence(self, failure: Outcome) -> Evidence:
        """Runs the failing check once more, to its end."""
        if self.gathered is None:
            self.gathered = gather(failure.check.function, self.student)
        return self.gathered
