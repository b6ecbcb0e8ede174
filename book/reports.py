"""Records what the checks print: ``python -m book.reports [--check] [KEY …]``.

It records every report that a page shows with the macro ``report``.
"""

import io
import re
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from html import escape
from unittest.mock import patch

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from book.macros import mistake_of, report_name
from book.pages import REPORTS, SRC, exercise_of
from book.recorder import Made, Recorder
from book.rounding import alike
from course.grading import Grading, Target, load_checks
from course.messages import Load
from course.mistakes import Mistake
from course.process import WorkerProcess
from course.registry import ROOT, Exercise
from course.report import Report
from course.student import Student

WIDTH = 78
MACRO = re.compile(r"\{\{\s*report\s+([^\s}]+)(?:\s+([^}]*?))?\s*\}\}")
COLORS = {1: "red", 2: "green", 3: "yellow", 6: "cyan"}  # by the terminal's number
PADDING = re.compile(r" +(</span>)? *$", re.MULTILINE)  # blanks at the end of a line
RELATIVE = 1e-3
SECONDS = re.compile(r" in 0\.0 s(?=\.)|  ·  0\.0 s")


class Rehearsal(Grading):
    """Grades a text in place of the learner's file."""

    def __init__(self, exercise: Exercise, worker: WorkerProcess, source: str) -> None:
        super().__init__(exercise, Target(), worker)
        self.source = source
        self.name = exercise.solution_module

    def _load(self) -> Student:
        tensors = not self.exercise.on_numpy
        load = Load(self.name, source=self.source)
        self.student = Student(self.worker, load, self.target.limit, tensors=tensors)
        return self.student


class Recorded(Report):
    """A report without measured times, because these differ at every recording.

    Args:
        console: where to print.
        name, file: the name of the graded module, and the file that the report names.
    """

    def __init__(self, console: Console, name: str, file: str) -> None:
        super().__init__(console)
        self.name, self.file = name, file

    def line(self, text: str, indent: int = 0) -> None:
        text = SECONDS.sub("", text).replace(f"<{self.name}>", self.file)
        super().line(text, indent)


def wanted() -> dict[str, list[str]]:
    """The mistakes with a report in a page, by exercise key; "" is the solution."""
    found: dict[str, set[str]] = {}
    for page in SRC.glob("*.md"):
        for key, name in MACRO.findall(page.read_text(encoding="utf-8")):
            found.setdefault(exercise_of(key).key, set()).add(name)
    return {key: sorted(names) for key, names in sorted(found.items())}


def record(key: str, names: list[str], worker: WorkerProcess) -> dict[str, str]:
    """The reports of one exercise: HTML by file name."""
    exercise = exercise_of(key)
    mistakes = [mistake_of(key, name) if name else None for name in names]
    # Pages always show pixi's form of the commands.
    with patch("course.commands.runner", return_value="pixi run"):
        reports = [rehearse(exercise, mistake, worker) for mistake in mistakes]
    return dict(zip([report_name(key, m) for m in mistakes], reports, strict=True))


def rehearse(exercise: Exercise, mistake: Mistake | None, worker: WorkerProcess) -> str:
    """Grades the solution, or one mistake in it; returns the printed report."""
    text = (ROOT / exercise.solution_path).read_text(encoding="utf-8")
    source = mistake.source if mistake else text
    worker.output = ""  # forget earlier output
    grading = Rehearsal(exercise, worker, source)
    printed = io.StringIO()
    console = Console(
        file=printed, width=WIDTH, force_terminal=True, color_system="standard"
    )
    report = Recorded(console, grading.name, str(exercise.step_path))
    report.begin(grading)
    for check in load_checks(exercise):
        report.check(grading.run(check))
    report.end(grading, seconds=0.0)
    return as_html(printed.getvalue())


def as_html(printed: str) -> str:
    """A terminal's text as HTML, with classes for colours."""
    text = Text.from_ansi(printed)
    segments = text.render(Console(width=WIDTH))
    html = "".join(as_span(segment) for segment in segments).strip("\n")
    return PADDING.sub(r"\1", html) + "\n"


def as_span(segment: Segment) -> str:
    """The HTML of a piece of text in one style."""
    names = " ".join(classes(segment.style)) if segment.style else ""
    text = escape(segment.text, quote=False)
    return f'<span class="{names}">{text}</span>' if names else text


def classes(style: Style) -> Iterator[str]:
    """The CSS classes of a style."""
    if style.bold:
        yield "bold"
    if style.dim:
        yield "dim"
    if style.color and style.color.number is not None:
        yield COLORS[style.color.number]


def make(keys: list[str]) -> Iterator[Made]:
    """Records the reports of the given exercises."""
    with closing(WorkerProcess()) as worker:
        for key in keys:
            for file, text in record(key, wanted()[key], worker).items():
                yield Made(key, REPORTS / file, text, partial(alike, tolerance=near))


def near(number: str) -> float:
    """The largest difference that a number may have between two processors."""
    return RELATIVE * abs(float(number)) + 1e-6


RECORDER = Recorder(
    "book.reports", lambda: list(wanted()), make, lambda: REPORTS.glob("*.html")
)

if __name__ == "__main__":
    RECORDER.main()
