"""The course's commands, such as ``course progress``.

``course hint`` should not wait for the imports of ``course dev``, so each command has
its own imports, as far as they take long.
"""

import json
import os
import sys
from contextlib import closing
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.markup import escape
from rich.table import Table

from course.check_program import check as run_check
from course.commands import typed
from course.registry import (
    ROOT,
    Exercise,
    UnknownExercise,
    find_exercise,
    load_registry,
    order_of_work,
)
from runtime.background import compile_in_background
from runtime.terminal import Console

if TYPE_CHECKING:
    from course.grading import Target
    from course.state import Progress

console = Console()


class ExerciseArgument(click.ParamType):
    """Reads an exercise's name: 8, 08, s08, step_08 or an encore's name."""

    name = "exercise"

    def convert(self, value: Any, param: Any, ctx: Any) -> Exercise:
        try:
            return find_exercise(value)
        except UnknownExercise as error:
            self.fail(str(error), param, ctx)


EXERCISE = ExerciseArgument()


def stop(message: str) -> NoReturn:
    """Ends with one sentence on stderr and exit code 1."""
    Console(stderr=True).print(f"[red]✗[/] {escape(message)}", highlight=False)
    sys.exit(1)


LATER = {"doctor": "course.doctor", "dev": "course.dev.commands"}


class Commands(click.Group):
    """A group that imports two of its commands when they are asked for.

    Its commands say in one sentence which file cannot be read or written.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Lists all names, for the help."""
        return sorted([*super().list_commands(ctx), *LATER])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Returns a command; None if there is none of that name."""
        if name in LATER:
            return getattr(import_module(LATER[name]), name)
        return super().get_command(ctx, name)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command; an error of a file ends it with one sentence."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.filename is None:  # not a file's: for example a closed pipe
                raise
            stop(f"{error.filename}: {error.strerror}.")


def tell_not_kept(trouble: str) -> None:
    """Prints a note on stderr if results could not be written."""
    if trouble:
        text = f"The results are not kept: {trouble}"
        Console(stderr=True).print(text, highlight=False, markup=False)


STEPS_DIR = click.option(
    "--steps-dir", type=click.Path(path_type=Path), default=ROOT / "steps"
)
# After these commands a learner reads or writes, and the machine has nothing to do.
READING = {"next", "progress", "hint", "diff", "reset"}


@click.group(cls=Commands)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Tools for working through the course."""
    if ctx.invoked_subcommand in READING:
        ctx.call_on_close(compile_in_background)


@main.command()
@click.option("--json", "form", flag_value="json", help="print one JSON list")
@click.option("--markdown", "form", flag_value="markdown", help="print Markdown")
def progress(form: str | None) -> None:
    """Show which exercises pass; changed files are graded first."""
    from course import overview
    from course.grading import Target
    from course.state import Progress

    records = Progress()
    rows = overview.survey(Target(), records, Console(stderr=True))
    tell_not_kept(records.not_kept)
    if form == "json":
        print(json.dumps(overview.as_json(rows), indent=2))
    elif form == "markdown":
        print(overview.markdown(rows))
    else:
        console.print(overview.table(rows))
        console.print(f"\n{overview.summary(rows)}", highlight=False)


@main.command("next")
def next_exercise() -> None:
    """Show the first exercise that does not pass yet."""
    from course.state import Progress

    records = Progress()
    for exercise in order_of_work():
        if not passes(exercise, records):
            show(exercise)
            mention_encore_before(exercise)
            return
    built, write = typed("course finale"), typed('gpt2 "Once upon a time" --mine')
    console.print(f"Everything passes. See what you built: {built}", highlight=False)
    console.print(f"Let your model write: {write}", highlight=False)


def mention_encore_before(step: Exercise) -> None:
    """Names the encore that stands right before a step, if there is one."""
    for encore in load_registry():
        if not encore.is_step and encore.number == step.number - 1 and step.is_step:
            check = f"{encore.title}, {typed(encore.key)}"
            console.print(f"\n[dim]Before it stands an encore: {check}[/]")


def passes(
    exercise: Exercise, records: "Progress", target: "Target | None" = None
) -> bool:
    """Returns whether the learner's file passes; grades a changed file first."""
    from course.attempt import up_to_date_status
    from course.grading import Target

    return up_to_date_status(exercise, target or Target(), records) == "passed"


def show(exercise: Exercise) -> None:
    """Prints an exercise's title, summary, files and commands."""
    console.print(f"[bold]{exercise.label}[/]  about {exercise.minutes} minutes")
    console.print(f"{exercise.summary}\n", highlight=False)
    grid = Table.grid(padding=(0, 2))
    if (ROOT / exercise.chapter_path).exists():
        grid.add_row("read", str(exercise.chapter_path))
    grid.add_row("fill", str(exercise.step_path))
    grid.add_row("check", typed(exercise.key))
    grid.add_row("stuck", typed(f"course hint {exercise.short}"))
    console.print(grid)


@main.command()
@click.argument("exercise", type=EXERCISE)
@click.option("--level", type=click.IntRange(1, 3), default=1, show_default=True)
def hint(exercise: Exercise, level: int) -> None:
    """Give a hint: 1 is a nudge, 2 names the operation, 3 is nearly the line."""
    console.print(exercise.hints[level - 1], highlight=False, markup=False)
    if level < 3:
        more = typed(f"course hint {exercise.short} --level {level + 1}")
        console.print(f"[dim]More: {more}[/]", highlight=False)


@main.command()
@click.argument("exercise", type=EXERCISE)
@click.option("--force", is_flag=True, help="show it although yours does not pass")
def diff(exercise: Exercise, force: bool) -> None:
    """Show your file beside the solution, once yours passes."""
    from rich.syntax import Syntax

    from course import step_files
    from course.state import Progress

    if not force and not passes(exercise, Progress()):
        hint = typed(f"course hint {exercise.short}")
        stop(
            f"{exercise.step_path} does not pass yet; the solution waits. "
            f"A hint: {hint}. To look anyway: --force."
        )
    try:
        rows = step_files.compare(exercise)
    except step_files.StepFileError as error:
        stop(str(error))
    code = partial(Syntax, lexer="python", background_color="default", word_wrap=True)
    grid = Table("", "yours", "solution", expand=True, box=None, padding=(0, 1))
    for yours, theirs in rows:
        mark = "" if yours == theirs else "[yellow]│[/]"
        grid.add_row(mark, code(yours), code(theirs))
    console.print(grid)


@main.command()
@click.argument("exercise", type=EXERCISE)
def reset(exercise: Exercise) -> None:
    """Put the skeleton back; your file is kept as a backup."""
    from course import step_files

    try:
        backup = step_files.reset(exercise)
    except step_files.StepFileError as error:
        stop(str(error))
    console.print(f"{exercise.step_path} is the skeleton again.", highlight=False)
    if backup:
        kept = backup.relative_to(step_files.ROOT)
        console.print(f"Yours is kept in {kept}", highlight=False)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("exercise", type=EXERCISE)
@click.argument("pytest_options", nargs=-1, type=click.UNPROCESSED)
def check(exercise: Exercise, pytest_options: tuple[str, ...]) -> None:
    """Grade one exercise, as ``pytest tests/test_step_08.py`` does."""
    run_check(exercise, pytest_options)


@main.command()
@STEPS_DIR
@click.option("--no-voice", is_flag=True, help="no text by the model after a check")
def watch(steps_dir: Path, no_voice: bool) -> None:
    """Grade each step when you save it, until Ctrl-C."""
    from course.grading import Target
    from course.watch import watch

    compile_in_background()
    watch(Target(steps_dir=steps_dir.resolve()), console, speaks=not no_voice)


@main.command()
@STEPS_DIR
def finale(steps_dir: Path) -> None:
    """Show what you built, once all steps pass: a story, and a table."""
    from course.grading import Target
    from course.state import Progress
    from course.voice import Voice

    target = Target(steps_dir=steps_dir.resolve())
    records = Progress(target.steps_dir)
    steps = [exercise for exercise in load_registry() if exercise.is_step]
    for exercise in steps:
        if not passes(exercise, records, target):
            stop(
                f"{exercise.label} does not pass yet; the finale waits for it. "
                f"Check it: {typed(exercise.key)}"
            )
    with closing(Voice(steps[-1], target.steps_dir, passed=True)) as voice:
        voice.speak(console)


@main.command()
def repl() -> None:
    """Open Python with MAX as the checks run it, to try things out."""
    from runtime.child_python import python_command
    from runtime.defaults import INTERPRETED

    command = python_command("from course.repl import settings", options="-P -i")
    os.execve(command[0], command, dict(os.environ) | INTERPRETED)


@main.command()
def setup() -> None:
    """Compile what the course needs, so that no later command has to wait."""
    from course import warmup

    if failed := warmup.compile_all(console):
        stop(f"MAX cannot compile {', '.join(failed)}. Try: {typed('course doctor')}")
    if not warmup.solutions_run():
        stop(f"MAX cannot run the solutions here. Try: {typed('course doctor')}")
    console.print(f"[green]✓[/] Ready. First step: {typed('course next')}")
