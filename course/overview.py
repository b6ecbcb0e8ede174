"""The table of the course: which exercises pass, and what comes next."""

import time
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from course.attempt import up_to_date_status
from course.grading import Target
from course.registry import Exercise, load_registry
from course.state import Progress

MARKS = {
    "passed": "[green]✓ passed[/]",
    "failed": "[red]✗ not yet[/]",
    "to do": "[cyan]○ to do[/]",
    "missing": "[yellow]? no file[/]",
}


@dataclass(frozen=True)
class Row:
    """One exercise's row in the overview.

    Attributes:
        minutes: the course's estimate of the work.
        seconds: how long the last check took; None if there was none.
        checked: local ISO time of the last check; None if there was none.
    """

    key: str
    title: str
    status: str
    minutes: int
    difficulty: int
    seconds: float | None
    checked: str | None


def survey(target: Target, progress: Progress, console: Console) -> list[Row]:
    """Makes a row for every exercise; grades changed files first."""
    rows = []
    with console.status("grading what has changed …"):
        for exercise in load_registry():
            status = up_to_date_status(exercise, target, progress)
            rows.append(as_row(exercise, status, progress))
    return rows


def as_row(exercise: Exercise, status: str, progress: Progress) -> Row:
    """Makes an exercise's row from the registry and the records."""
    record = progress.records.get(exercise.key) if status != "to do" else None
    return Row(
        exercise.key,
        exercise.title,
        status,
        exercise.minutes,
        exercise.difficulty,
        round(record.seconds, 2) if record else None,
        time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.when))
        if record
        else None,
    )


def table(rows: list[Row]) -> Table:
    """Makes the table that a learner sees."""
    grid = Table("", "exercise", "state", "about min", "last check", box=None)
    for row in rows:
        checked = (row.checked or "").replace("T", " ")[:16]
        minutes = str(row.minutes)
        grid.add_row(row.key, row.title, MARKS[row.status], minutes, checked)
    return grid


def summary(rows: list[Row]) -> str:
    """Says in one sentence how many exercises passed and how much work is left."""
    passed = sum(row.status == "passed" for row in rows)
    left = sum(row.minutes for row in rows if row.status != "passed")
    if passed == len(rows):
        return f"All {len(rows)} passed."
    hours = f"{left / 60:.0f} hours" if left >= 90 else f"{left} minutes"
    return f"{passed} of {len(rows)} passed; about {hours} of work left."


def markdown(rows: list[Row]) -> str:
    """Makes the overview in Markdown, for a job's summary on GitHub."""
    marks = {"passed": "✅ passed", "failed": "❌ not yet", "to do": "⬜ to do"}
    lines = ["| | exercise | state | minutes |", "|---|---|---|---|"]
    for row in rows:
        state = marks.get(row.status, row.status)
        lines.append(f"| {row.key} | {row.title} | {state} | {row.minutes} |")
    return "\n".join([*lines, "", summary(rows)])


def as_json(rows: list[Row]) -> list[dict[str, object]]:
    """Makes the overview for other programs."""
    return [asdict(row) for row in rows]
