"""Finds out why a check fails: a known mistake, or how the numbers differ."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from course.catalogue import load_mistakes
from course.dependence import explain_dependence
from course.evidence import Evidence, gather
from course.families.table import load_families
from course.locating import Place, locate
from course.mistakes import Mistake
from course.outcomes import (
    Check,
    Diagnosis,
    Outcome,
    alike,
    outcome_of,
    run_check,
    same,
)
from course.registry import Exercise
from course.student import Raised, Student
from course.symptoms import explain

MOST = 3  # sentences, when nothing tells several known mistakes apart
DONE = ("passed", "failed")  # the states of a check that ran on finished code
Verdict = Literal["equal", "possible", "refuted"]


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
        self.later_outcomes: list[Outcome] | None = None
        self.loaded: dict[str, Student] = {}
        self.gathered: dict[str, Evidence] = {}  # by the check's name

    def explain(self, failure: Outcome) -> Diagnosis:
        """Looks for a known mistake, then for a symptom.

        Raises:
            Stopped: the worker ended, so that nothing more can be said.
        """
        self.later_outcomes = None
        found = self.look_at(failure)
        if failure.failure is None or found.cause:
            return found
        # An exception says little of what else is wrong. Other checks may say more.
        others = self.after(failure)
        others = [o for o in others if not o.failure or o.observed != failure.observed]
        self.later_outcomes = others
        for other in others:
            if other.state == "failed" and other.failure is None:
                more = self.look_at(other)
                if said := more.cause or more.symptom:
                    sentence = f"The check “{other.check.sentence}” fails, too. {said}"
                    return replace(found, symptom=sentence, seen_with=None)
                break
        return found

    def look_at(self, failure: Outcome) -> Diagnosis:
        """Looks for the causes and the symptoms of one failed check."""
        verdicts = self.verdicts(failure)
        causes = [says for says, verdict in verdicts.items() if verdict == "equal"]
        if 0 < len(causes) <= MOST:
            return Diagnosis(" Or: ".join(causes), places=self.wrong_line(failure))
        possible = [says for says, verdict in verdicts.items() if verdict == "possible"]
        with self.student.unheard():
            found = self.symptom(failure)
        if found == Diagnosis() and possible:
            return Diagnosis(seen_with=possible[0])
        return found

    def after(self, failure: Outcome) -> list[Outcome]:
        """Returns the outcomes of the checks after a failed one; runs them once."""
        if self.later_outcomes is None:
            self.later_outcomes = [o for o in self.later() if o.state in DONE]
        names = [outcome.check.name for outcome in self.later_outcomes]
        if failure.check.name not in names:
            return self.later_outcomes
        return self.later_outcomes[names.index(failure.check.name) + 1 :]

    def verdicts(self, failure: Outcome) -> dict[str, Verdict]:
        """Compares the known mistakes with the code; returns verdicts by sentence.

        An entry of the catalogue that is equal ends the search: checks tell entries
        apart. They cannot tell all families' mistakes apart.
        """
        found: dict[str, Verdict] = {}
        for mistake in self.known(load_mistakes, failure):
            found[mistake.says] = self.compare(mistake, failure)
            if found[mistake.says] == "equal":
                return found
        for mistake in self.known(load_families, failure):
            found[mistake.says] = self.compare(mistake, failure)
        return found

    def known(
        self, load: Callable[[Exercise], list[Mistake]], failure: Outcome
    ) -> list[Mistake]:
        """Loads the mistakes that fail this check first.

        Nothing is known of a solution that has been edited.
        """
        with suppress(ValueError):
            return [m for m in load(self.exercise) if m.check == failure.check.name]
        return []

    def compare(self, mistake: Mistake, failure: Outcome) -> Verdict:
        """Compares a mistake's results with the code's, in this check and later ones.

        A code may have a second mistake, which later checks show. So a mistake stays
        possible where it passes and the code fails, if another failure is the same.
        A mistake runs only the checks that it and the code fail.
        """
        later = self.after(failure)
        failed = [outcome for outcome in later if outcome.state == "failed"]
        shared = [outcome for outcome in failed if outcome.check.name in mistake.fails]
        equal = len(shared) == len(failed)
        if not equal and not shared:
            return "refuted"
        if any(o.state == "passed" and o.check.name in mistake.fails for o in later):
            return "refuted"
        for outcome in [failure, *shared]:
            if not alike(self.try_mistake(mistake, outcome.check), outcome):
                return "refuted"
        if failure.comparison and not self.alike_to_the_end(mistake, failure):
            return "refuted"
        return "equal" if equal else "possible"

    def alike_to_the_end(self, mistake: Mistake, failure: Outcome) -> bool:
        """Compares all numbers of a failed check, also those after the first wrong."""
        with self.student.unheard():
            yours = self.evidence(failure).comparisons
        if len(yours) < 2:
            return True
        its = gather(failure.check.function, self.loaded[mistake.name]).comparisons
        pairs = zip(yours, its, strict=False)
        equal = all(same(mine.yours, other.yours) for mine, other in pairs)
        return equal and len(yours) == len(its)

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
        found = explain(self.evidence(failure).comparisons)
        sentences = [found.text] if found else []
        if not (found and found.whole):
            sentences += filter(None, [self.dependence(failure)])
        return Diagnosis(symptom=" ".join(sentences) or None, places=places)

    def dependence(self, failure: Outcome) -> str | None:
        """Says what the code's result depends on and should not, or the reverse."""
        solution = self.variant(None)
        right = gather(failure.check.function, solution)
        yours = self.student, self.evidence(failure)
        return explain_dependence(self.exercise, yours, (solution, right))

    def wrong_line(self, failure: Outcome) -> tuple[Place, ...]:
        """Finds the line that goes with a known cause: a quantity, scaled or moved.

        A whole model's lines are left out: they take long, and its parts are layers.
        """
        with self.student.unheard():
            if failure.comparison is None or self.evidence(failure).is_large:
                return ()
            places = self.places(failure)
        return tuple(place for place in places if place.told and not place.right)

    def places(self, failure: Outcome) -> tuple[Place, ...]:
        """Finds the learner's line up to which the numbers are right."""
        return tuple(locate(self.student, self.evidence(failure)))

    def evidence(self, failure: Outcome) -> Evidence:
        """Runs the failing check once more, to its end."""
        name = failure.check.name
        if name not in self.gathered:
            self.gathered[name] = gather(failure.check.function, self.student)
        return self.gathered[name]
