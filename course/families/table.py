"""The recorded table of the families: the check that each wrong version fails first.

``python -m course.dev.families`` records it.
"""

import json
from pathlib import Path

from course.catalogue import Mistake
from course.commands import runner
from course.families.mutants import OF_STEPS, OPERATORS, Mutant, make_mutants
from course.registry import ROOT, Exercise

FOLDER = Path("tests", "mistakes", "families")
Table = dict[str, list[str]]  # the names of wrong versions, by check


def load_families(exercise: Exercise) -> list[Mistake]:
    """Makes the wrong versions of one exercise's solution that the table lists.

    Raises:
        ValueError: the table is stale; the message says how to record it.
    """
    made = {mutant.name: mutant for mutant in mutants_of(exercise)}
    table = read_table(exercise)
    if gone := [n for names in table.values() for n in names if n not in made]:
        raise ValueError(
            f"{table_path(exercise)} is stale: {gone[0]!r} is not made any more. "
            f"Record it: {runner()} python -m course.dev.families {exercise.key}"
        )
    return [
        Mistake(name, check, made[name].says, made[name].source)
        for check, names in table.items()
        for name in names
    ]


def mutants_of(exercise: Exercise) -> list[Mutant]:
    """Makes every wrong version of one exercise's solution.

    Checks that call a whole model take long. So an encore with such checks gets no
    versions that a step has as well.
    """
    source = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    if exercise.is_step or exercise.on_numpy:
        return list(make_mutants(source))
    own = [operator for operator in OPERATORS if operator not in OF_STEPS]
    return list(make_mutants(source, own))


def table_path(exercise: Exercise) -> Path:
    return FOLDER / f"{exercise.file}.json"


def read_table(exercise: Exercise) -> Table:
    """Reads the table of one exercise; it is empty if there is no file."""
    path = ROOT / table_path(exercise)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
