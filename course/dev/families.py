"""Records the check that each wrong version of the families fails first.

``python -m course.dev.families [--check] [EXERCISE …]`` runs every wrong version. All
exercises together take some minutes.
"""

import ast
import json
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing

import click

from course.catalogue import load_mistakes
from course.commands import runner
from course.families.mutants import Mutant
from course.families.table import FOLDER, Table, mutants_of, table_path
from course.grading import Outcome, load_checks, outcome_of, run_check
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

    def outcomes(self, exercise: Exercise, source: str) -> Iterator[Outcome]:
        """Yields the outcomes of a wrong version's checks, in their order."""
        for check in load_checks(exercise):
            try:
                if check is load_checks(exercise)[0] or student.worker.process.poll():
                    student = self.student(exercise, source)
                yield run_check(check, student)
            except (Raised, Stopped) as error:
                yield outcome_of(check, error)
                return

    def close(self) -> None:
        self.worker.close()


def kept_mutants(exercise: Exercise) -> list[Mutant]:
    """Returns the wrong versions that differ from the solution and the catalogue.

    Two versions with the same tree count once. Versions that behave as the solution
    does are left out.
    """
    solution = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    known = [mistake.source for mistake in load_mistakes(exercise)]
    seen = {ast.dump(ast.parse(text)) for text in [solution, *known]}
    idle, kept = equivalent(exercise), []
    for mutant in mutants_of(exercise):
        tree = ast.dump(ast.parse(mutant.source))
        if tree not in seen and mutant.name not in idle:
            kept.append(mutant)
        seen.add(tree)
    return kept


def equivalent(exercise: Exercise) -> set[str]:
    """Returns the names of the wrong versions that behave as the solution does."""
    text = (ROOT / FOLDER / "equivalent.toml").read_text(encoding="utf-8")
    return {entry["name"] for entry in tomllib.loads(text).get(exercise.key, [])}


def first_failures(exercise: Exercise, workers: Workers) -> dict[str, str | None]:
    """Maps every wrong version to the check that it fails first, or to None."""
    found: dict[str, str | None] = {}
    for mutant in kept_mutants(exercise):
        outcomes = workers.outcomes(exercise, mutant.source)
        failed = (o.check.name for o in outcomes if o.state == "failed")
        found[mutant.name] = next(failed, None)
    return found


def as_table(exercise: Exercise, found: dict[str, str | None]) -> Table:
    """Orders the names of wrong versions by the check that they fail first."""
    names = [check.name for check in load_checks(exercise)]
    table = {
        check: [n for n, first in found.items() if first == check] for check in names
    }
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
    """Writes one exercise's table if it is stale; returns whether something is wrong."""
    found, path = first_failures(exercise, workers), table_path(exercise)
    passing = [name for name, first in found.items() if first is None]
    for name in passing:
        print(f"{exercise.key}: {name} passes every check")
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
    return bool(passing) or (stale and check)


if __name__ == "__main__":
    main()
