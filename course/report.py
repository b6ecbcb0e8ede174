"""Prints the report that a learner sees after a check."""

import textwrap
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from course.commands import typed
from course.grading import Grading, load_checks
from course.grids import grid
from course.messages import Compiling
from course.outcomes import Diagnosis, Outcome
from course.registry import ROOT, Exercise, find_exercise, short

MARKS = {
    "passed": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "to do": "[cyan]○[/]",
    "not run": "[dim]·[/]",
}


class Report:
    """Prints one exercise's grading, check by check, and what to do next.

    Args:
        console: where to print.
        whole_trace: print MAX's frames too, not only the learner's own.
    """

    def __init__(self, console: Console, *, whole_trace: bool = False) -> None:
        self.console = console
        self.whole_trace = whole_trace

    def begin(self, grading: Grading) -> None:
        """Prints the graded file and the borrowed steps."""
        exercise = grading.exercise
        file = short(grading.target.path(exercise))
        self.line(f"Grading [bold]{escape(file)}[/] · {escape(exercise.label)}")
        if grading.borrowed:
            names = [find_exercise(n.split(".")[1]) for n in grading.borrowed]
            numbers = ", ".join(f"{e.number:02}" for e in names)
            noun = "step" if len(names) == 1 else "steps"
            self.line(f"[dim]borrowed from solutions: {noun} {numbers}[/]")
        self.console.print()

    def check(self, outcome: Outcome) -> None:
        """Prints one check's line."""
        sentence = escape(outcome.check.sentence)
        if outcome.state in ("not run", "to do"):
            sentence = f"[dim]{sentence}[/]"
        grid = Table.grid(padding=(0, 1))
        grid.add_row(MARKS[outcome.state], sentence)
        self.console.print(Padding(grid, (0, 0, 0, 2), expand=False))

    def end(self, grading: Grading, seconds: float) -> None:
        """Prints the first failure, or that the exercise passed."""
        self.console.print()
        first = grading.first_failure
        if first is None and grading.passed:
            self.line(f"[green]Passed[/] in {seconds:.1f} s. {self.next_step(grading)}")
        elif first is not None and first.state == "to do":
            self.to_do(first)
        elif first is not None:
            self.failure(first)
        if grading.left_out:
            self.part(grading)
        self.copied(grading)
        self.printed(grading)
        if first is not None:
            self.pointers(grading, seconds)

    def to_do(self, outcome: Outcome) -> None:
        """Prints what a blank that is not filled yet asks for."""
        self.line(f"[cyan]to do:[/] {escape(outcome.message)}")
        self.frames(outcome)

    def failure(self, outcome: Outcome) -> None:
        """Prints the expected result, the learner's result and why they differ."""
        self.line(f"[red]✗[/] [bold]{escape(outcome.check.sentence)}[/]")
        if outcome.check.why:
            self.line(f"[dim]{escape(outcome.check.why)}[/]", indent=2)
        self.console.print()
        self.line(escape(outcome.message), indent=2)
        table = Table.grid(padding=(0, 2))
        for label, text in outcome.facts:
            table.add_row(f"[dim]{escape(label)}[/]", escape(text))
        self.console.print(Padding(table, (0, 0, 0, 2), expand=False))
        self.numbers(outcome)
        self.frames(outcome)
        self.diagnosis(outcome.diagnosis)
        self.console.print()

    def numbers(self, outcome: Outcome) -> None:
        """Prints the right numbers beside the learner's, where shapes are equal."""
        found = outcome.comparison
        shaped = found and found.yours.shape == found.expected.shape
        if found and shaped and found.yours.ndim and found.wrong.any():
            self.console.print(Padding(grid(found), (0, 0, 0, 2), expand=False))

    def diagnosis(self, diagnosis: Diagnosis) -> None:
        """Prints why the check fails, as far as the grader can say."""
        for label, sentence in [
            ("acts as if", diagnosis.cause),
            ("what differs", diagnosis.symptom),
            ("also seen with", diagnosis.seen_with),
        ]:
            if sentence:
                self.line(f"[yellow]{label}:[/] {escape(sentence)}", indent=2)
        if names := diagnosis.solution_names:
            told = f"in the solution's words: your file has no {', '.join(names)}"
            self.line(f"[dim]({told})[/]", indent=2)
        for place in diagnosis.places:
            known = "right so far" if place.right else "look here"
            label = known if place.told else "next"
            told = f"  [dim]({escape(place.told)})[/]" if place.told else ""
            where = f"[dim]{label}, line {place.line}:[/] {escape(place.text)}"
            self.line(f"{where}{told}", indent=2)
        if diagnosis.places and (name := diagnosis.places[0].name):
            hint = f"To see more, put print({name}) below that line."
            if len(diagnosis.places) > 1:
                hint = f"To see more, put print({name}) between the two lines."
            self.line(f"[dim]{escape(hint)}[/]", indent=2)

    def frames(self, outcome: Outcome) -> None:
        """Prints the learner's own lines that led to an exception."""
        if outcome.failure is None:
            return
        if self.whole_trace:
            trace = outcome.failure.trace
            self.console.print(trace, markup=False, highlight=False, soft_wrap=True)
            return
        for file, number, text in outcome.failure.frames[-3:]:
            place = f"{short(Path(file))}:{number}"
            self.line(f"[dim]{escape(place)}[/]  {escape(text)}", indent=2)
        if outcome.state == "failed":
            for name, shape in outcome.failure.tensors:
                self.line(f"[dim]{escape(name)} is[/] {escape(shape)}", indent=4)

    def part(self, grading: Grading) -> None:
        """Prints how many of the checks ran, if not all did."""
        exercise = grading.exercise
        states = {o.check.name: o.state for o in grading.outcomes}
        ran = [name for name, state in states.items() if state != "not run"]
        passed = " and passed" if set(states.values()) == {"passed"} else ""
        count = f"{len(ran)} of {len(load_checks(exercise))} checks ran{passed}."
        option = " --solutions" if grading.target.solutions else ""
        self.line(f"{count} All of them: {typed(exercise.key)}{option}")

    def other_failure(self, place: str, text: str) -> None:
        """Prints why pytest or a plugin ended a check."""
        self.line(f"[red]✗[/] {escape(place)}: {escape(text)}")

    def no_check(self) -> None:
        """Prints that the options of the command left nothing to run."""
        self.line("[yellow]No check ran:[/] the options leave none.")

    def not_begun(self, exercises: list[Exercise]) -> None:
        """Prints which exercises the command names but did not reach."""
        self.line(f"Not begun: {', '.join(e.label for e in exercises)}")

    def no_debugger(self) -> None:
        """Prints why --pdb does nothing."""
        self.line(
            "[yellow]note:[/] --pdb does nothing here, because your code runs in a "
            f"process of its own. To try things out: {typed('course repl')}"
        )

    def pointers(self, grading: Grading, seconds: float) -> None:
        """Prints where to find help, and how long the checks took."""
        exercise = grading.exercise
        parts = [f"hint: {typed(f'course hint {exercise.short}')}"]
        if (ROOT / exercise.chapter_path).exists():
            parts.append(f"chapter: {exercise.chapter_path}")
        parts.append(f"{seconds:.1f} s")
        self.line(f"[dim]{'  ·  '.join(parts)}[/]")

    def copied(self, grading: Grading) -> None:
        """Prints a note if the learner's file imports a solution."""
        source = grading.student and grading.student.copied_from
        if source:
            self.line(
                f"[yellow]note:[/] this file imports {escape(source)}, so part of what "
                "was graded is the solution's work, not yours."
            )

    def printed(self, grading: Grading) -> None:
        """Prints the beginning of what the code printed."""
        text = grading.worker.output.strip()
        if text:
            lines = text.splitlines()
            shown = "\n".join(lines[:20])[:1500]
            more = " (the beginning)" if len(shown) < len(text) else ""
            self.line(f"[dim]your code printed{more}:[/]")
            body = textwrap.indent(shown, "  ")
            self.console.print(body, markup=False, highlight=False)

    def not_kept(self, trouble: str) -> None:
        """Prints a note if the result could not be written."""
        if trouble:
            self.line(
                f"[yellow]note:[/] this result is not kept: {escape(trouble)} "
                "The next command that needs it checks again."
            )

    def next_step(self, grading: Grading) -> str:
        """Returns the commands that follow a pass; empty for a solution."""
        exercise = grading.exercise
        if grading.target.solutions:
            return ""
        compare = typed(f"course diff {exercise.short}")
        return f"Compare: {compare}  ·  go on: {typed('course next')}"

    def slow_start(self) -> None:
        """Explains the wait for the import of MAX."""
        text = "Python imports MAX. On a machine's first run that takes ten seconds."
        self.line(f"[dim]{text}[/]")

    def compiling(self, message: Compiling) -> None:
        """Explains the wait while MAX compiles, on a machine's first run."""
        if message.about:
            text = f"First run on this machine: MAX compiles {message.what}, once,"
            self.line(f"[dim]{text} about {message.about} s to go.[/]")
        elif message.seconds and message.seconds > 1.0:
            self.line(f"[dim]ready: {message.what}, after {message.seconds:.0f} s[/]")

    def line(self, text: str, indent: int = 0) -> None:
        """Prints a paragraph, wrapped at the terminal's width."""
        indented = Padding(text, (0, 0, 0, indent), expand=False) if indent else text
        self.console.print(indented, highlight=False)
