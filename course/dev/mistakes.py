"""Records the checks that each known mistake fails.

``python -m course.dev.mistakes [--check] [EXERCISE …]`` runs every wrong version of the
catalogue and of the families. All exercises together take some minutes.
"""

import ast
import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import closing

import click

from course.catalogue import load_mistakes
from course.dev.reach import Reach
from course.families.mutants import Mutant
from course.families.table import mutants_of
from course.grading import load_checks, run_check
from course.messages import Compiling, Load
from course.mistakes import FOLDER, Group, Mistake, Origin, Table, stale, table_path
from course.process import Stopped, WorkerProcess
from course.registry import ROOT, Exercise, find_exercise, load_registry
from course.student import Raised, Student

Failing = dict[Origin, dict[str, tuple[str, ...]]]  # checks by the mistake's name
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

    def failing(self, reach: Reach, source: str) -> Iterator[str]:
        """Yields the checks that a wrong version fails, in their order."""
        student = None
        for check in reach.checks(source):
            try:
                if student is None or self.worker.process.poll() is not None:
                    student = self.student(reach.exercise, source)
            except (Raised, Stopped):
                yield check.name
                continue
            if run_check(check, student).state != "passed":
                yield check.name

    def close(self) -> None:
        self.worker.close()


def distinct_mutants(exercise: Exercise) -> list[Mutant]:
    """Returns the wrong versions that differ from the solution and the catalogue.

    Two versions with the same tree count once.
    """
    if not (made := mutants_of(exercise)):
        return []
    solution = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    known = [mistake.source for mistake in load_mistakes(exercise)]
    seen = {ast.dump(ast.parse(text)) for text in [solution, *known]}
    kept = []
    for mutant in made:
        if (tree := ast.dump(ast.parse(mutant.source))) not in seen:
            kept.append(mutant)
        seen.add(tree)
    return kept


def load_left_out(exercise: Exercise) -> dict[str, str | None]:
    """Maps the families' versions without a place in the table to an entry's name.

    That entry of the catalogue says the same; it is None for a version that passes
    every check.
    """
    text = (ROOT / FOLDER / "left_out.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text).get(exercise.file, [])
    return {entry["name"]: entry.get("like") for entry in entries}


def failing_versions(exercise: Exercise, workers: Workers) -> Failing:
    """Maps every wrong version to the checks that it fails."""
    reach = Reach(exercise)
    versions: dict[Origin, Sequence[Mistake | Mutant]] = {
        "catalogue": load_mistakes(exercise),
        "families": distinct_mutants(exercise),
    }
    return {
        origin: {v.name: tuple(workers.failing(reach, v.source)) for v in each}
        for origin, each in versions.items()
    }


def as_table(exercise: Exercise, found: Failing) -> Table:
    """Groups the names of wrong versions by the checks that they fail."""
    order = [check.name for check in load_checks(exercise)]
    return {origin: grouped(each, order) for origin, each in found.items()}


def grouped(failing: dict[str, tuple[str, ...]], order: list[str]) -> list[Group]:
    """Groups the names of mistakes that fail the same checks, in the checks' order."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, fails in failing.items():
        if fails:
            groups.setdefault(fails, []).append(name)
    ordered = sorted(groups, key=lambda fails: [order.index(each) for each in fails])
    return [{"fails": list(fails), "mistakes": groups[fails]} for fails in ordered]


@click.command(help="Record the checks that known mistakes fail again.")
@click.argument("exercises", nargs=-1)
@click.option("--check", is_flag=True, help="only list stale tables")
def main(exercises: tuple[str, ...], check: bool) -> None:
    chosen = [find_exercise(each) for each in exercises] or list(load_registry())
    with closing(Workers()) as workers:
        wrong = [record(exercise, workers, check=check) for exercise in chosen]
    sys.exit(any(wrong))


def record(exercise: Exercise, workers: Workers, *, check: bool) -> bool:
    """Writes one exercise's table if it is stale.

    Returns:
        Whether the table is still stale, or ``left_out.toml`` is wrong.
    """
    found, left_out = failing_versions(exercise, workers), load_left_out(exercise)
    wrong = list(misplaced(found, left_out))
    for line in wrong:
        print(f"{exercise.key}: {line}: see left_out.toml.", flush=True)
    for name in left_out:
        found["families"].pop(name, None)
    text = json.dumps(as_table(exercise, found), ensure_ascii=False, indent=1) + "\n"
    path = table_path(exercise)
    file = ROOT / path
    is_stale = not file.exists() or file.read_text(encoding="utf-8") != text
    if is_stale and check:
        print(stale(exercise), flush=True)
    elif is_stale:
        file.write_text(text, encoding="utf-8", newline="\n")
        print(path, flush=True)
    return bool(wrong) or (is_stale and check)


def misplaced(found: Failing, left_out: dict[str, str | None]) -> Iterator[str]:
    """Names the families' versions that belong into ``left_out.toml``, or do not."""
    entries, versions = found["catalogue"], found["families"]
    for name, like in left_out.items():
        if name not in versions:
            yield f"{name!r} is not made any more"
        elif versions[name] != (entries.get(like, ()) if like else ()):
            yield f"{name!r} fails {', '.join(versions[name]) or 'no check'}"
    for name, fails in versions.items():
        if not fails and name not in left_out:
            yield f"{name!r} passes every check"


if __name__ == "__main__":
    main()
