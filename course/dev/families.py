"""Records the check that each wrong version of the families fails first.

``python -m course.dev.families [--check] [EXERCISE …]`` runs every wrong version. All
exercises together take some minutes.
"""

import ast
import json
import sys
import tomllib
from contextlib import closing

import click

from course.catalogue import load_mistakes
from course.commands import runner
from course.dev.reach import Reach
from course.families.mutants import Mutant
from course.families.table import FOLDER, Table, mutants_of, table_path
from course.grading import load_checks, run_check
from course.messages import Compiling, Load
from course.process import Stopped, WorkerProcess
from course.registry import ROOT, Exercise, find_exercise, load_registry
from course.student import Raised, Student

LIMIT = 5.0  # seconds for one request to a wrong version


class Workers:
    """Runs wrong versions in one worker; a new one replaces a worker that ended."""

    def __init__(self) -> None:
        self.compiled: list[str] = []
        self.worker = WorkerProcess(self.note)

    def note(self, message: Compiling) -> None:
        """Remembers a kernel that no batch has."""
        if message.what.startswith("the kernel"):
            self.compiled.append(message.what)

    def student(self, exercise: Exercise, source: str) -> Student:
        """Loads a wrong version.

        Raises:
            Raised: its code raised an exception.
            Stopped: the worker ended.
        """
        if self.worker.process.poll() is not None:
            self.close()
            self.worker = WorkerProcess(self.note)
        load = Load(exercise.solution_module, source=source)
        return Student(self.worker, load, LIMIT, tensors=not exercise.on_numpy)

    def first_failure(self, reach: Reach, source: str) -> str | None:
        """Returns the check that a wrong version fails first; None if it passes all."""
        student = None
        for check in reach.checks(source):
            try:
                if student is None or self.worker.process.poll() is not None:
                    student = self.student(reach.exercise, source)
            except (Raised, Stopped):
                return check.name
            if run_check(check, student).state != "passed":
                return check.name
        return None

    def close(self) -> None:
        self.worker.close()


def distinct_mutants(exercise: Exercise) -> list[Mutant]:
    """Returns the wrong versions that differ from the solution and the catalogue.

    Two versions with the same tree count once.
    """
    solution = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    known = [mistake.source for mistake in load_mistakes(exercise)]
    seen = {ast.dump(ast.parse(text)) for text in [solution, *known]}
    kept = []
    for mutant in mutants_of(exercise):
        if (tree := ast.dump(ast.parse(mutant.source))) not in seen:
            kept.append(mutant)
        seen.add(tree)
    return kept


def load_left_out(exercise: Exercise) -> dict[str, str | None]:
    """Maps the versions without a place in the table to the check that they fail first.

    That is None for a version that passes every check, else the check of the entry
    of the catalogue that says the same.
    """
    text = (ROOT / FOLDER / "left_out.toml").read_text(encoding="utf-8")
    checks = {mistake.name: mistake.check for mistake in load_mistakes(exercise)}
    return {
        entry["name"]: checks[entry["like"]] if "like" in entry else None
        for entry in tomllib.loads(text).get(exercise.file, [])
    }


def first_failures(exercise: Exercise, workers: Workers) -> dict[str, str | None]:
    """Maps every wrong version to the check that it fails first, or to None."""
    reach = Reach(exercise)
    return {
        mutant.name: workers.first_failure(reach, mutant.source)
        for mutant in distinct_mutants(exercise)
    }


def as_table(exercise: Exercise, found: dict[str, str | None]) -> Table:
    """Orders the names of wrong versions by the check that they fail first."""
    table: Table = {check.name: [] for check in load_checks(exercise)}
    for name, first in found.items():
        if first is not None:
            table[first].append(name)
    return {check: names for check, names in table.items() if names}


@click.command(help="Record the tables of the families again.")
@click.argument("exercises", nargs=-1)
@click.option("--check", is_flag=True, help="only list stale tables")
def main(exercises: tuple[str, ...], check: bool) -> None:
    chosen = [find_exercise(each) for each in exercises] or list(load_registry())
    with closing(Workers()) as workers:
        stale = [record(exercise, workers, check=check) for exercise in chosen]
    sys.exit(any(stale))


def record(exercise: Exercise, workers: Workers, *, check: bool) -> bool:
    """Writes one exercise's table if it is stale.

    Returns:
        Whether the table is still stale, or ``left_out.toml`` is wrong.
    """
    found, path = first_failures(exercise, workers), table_path(exercise)
    left_out = load_left_out(exercise)
    passing = {name for name, first in found.items() if first is None}
    wrong = [n for n in left_out if n not in found or found[n] != left_out[n]]
    wrong += sorted(passing - left_out.keys())
    for name in wrong:
        says = f"fails {found[name]} first" if found.get(name) else "passes every check"
        says = says if name in found else "is not made any more"
        print(f"{exercise.key}: {name!r} {says}: see left_out.toml.", flush=True)
    found = {name: first for name, first in found.items() if name not in left_out}
    table = as_table(exercise, found)
    text = json.dumps(table, ensure_ascii=False, indent=1) + "\n"
    file = ROOT / path
    stale = not file.exists() or file.read_text(encoding="utf-8") != text
    if stale and check:
        command = f"{runner()} python -m course.dev.families {exercise.key}"
        print(f"{path} is stale: {command}", flush=True)
    elif stale:
        file.write_text(text, encoding="utf-8", newline="\n")
        print(path, flush=True)
    return bool(wrong) or (stale and check)


if __name__ == "__main__":
    main()
