"""The wrong versions of a solution whose failing checks are recorded."""

from course.families.mutants import OF_STEPS, OPERATORS, Mutant, make_mutants
from course.mistakes import Mistake, read_failing, stale
from course.registry import ROOT, Exercise


def load_families(exercise: Exercise) -> list[Mistake]:
    """Makes the wrong versions of one exercise's solution that the table lists.

    Raises:
        ValueError: the table is stale; the message says how to record it.
    """
    made = {mutant.name: mutant for mutant in mutants_of(exercise)}
    failing = read_failing(exercise, "families")
    if failing.keys() - made.keys():
        raise ValueError(stale(exercise))
    return [
        Mistake(name, fails, made[name].says, made[name].source)
        for name, fails in failing.items()
    ]


def mutants_of(exercise: Exercise) -> list[Mutant]:
    """Makes every wrong version of one exercise's solution, if that is in Python.

    Checks that call a whole model take long. So an encore with such checks gets no
    versions that a step has as well.
    """
    if not exercise.in_python:
        return []
    source = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    if exercise.is_step or exercise.on_numpy:
        return list(make_mutants(source))
    own = [operator for operator in OPERATORS if operator not in OF_STEPS]
    return list(make_mutants(source, own))
