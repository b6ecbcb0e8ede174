"""Records what the model says after a check: ``python -m book.terminals [--check]``.

The pages show the recordings with the macro ``terminal``.
"""

import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from book.macros import mistake_of
from book.pages import TERMINALS, BookError
from book.recorder import Made, Recorder
from book.reports import WIDTH, as_html
from book.rounding import alike
from course.commands import runner
from course.registry import ROOT, as_step, find_exercise, load_registry
from course.state import Progress
from course.typewriter import Typewriter
from course.voice import show
from runtime.child_python import python_command
from runtime.children import run_child

# The recordings by name: an exercise and a mistake in it, or "" for the solution.
RECORDINGS = {
    "voice-s08": ("s08", ""),
    "voice-s08-unscaled": ("s08", "unscaled"),
    "finale": ("s14", ""),
}
RUN = "from gpt2.learner.voice.__main__ import main; main()"
SECONDS = 600  # of speaking: a busy machine must not cut a recording short
MEASURED = re.compile(r" \[dim\]\d+ tokens/s[^[]*\[/\]")


def make(names: list[str]) -> Iterator[Made]:
    """Records terminals of a learner who has solved all steps up to one."""
    for name in names:
        key, mistake = RECORDINGS[name]
        with TemporaryDirectory() as folder:
            steps_dir = Path(folder, "steps")
            solve(steps_dir, key, mistake)
            events = speak(key, steps_dir, "failed" if mistake else "passed")
        path = TERMINALS / f"{name}.html"
        yield Made(name, path, printed(events), partial(alike, tolerance=near))


def solve(steps_dir: Path, key: str, mistake: str) -> None:
    """Writes the solutions up to an exercise, with a mistake in the last of them."""
    steps_dir.mkdir()
    progress, last = Progress(steps_dir), find_exercise(key)
    steps = [e for e in load_registry() if e.is_step and e.number <= last.number]
    for exercise in steps:
        wrong = mistake if exercise == last else ""
        text = as_step(mistake_of(key, wrong).source) if wrong else exercise.solved
        (steps_dir / exercise.step_path.name).write_text(text, encoding="utf-8")
        digest = progress.digest(exercise)
        progress.record(exercise, digest, passed=not wrong, seconds=0.0)


def speak(key: str, steps_dir: Path, verdict: str) -> str:
    """Lets the voice speak; returns its events, one in a line."""
    done = run_child(
        python_command(RUN, key, str(steps_dir), verdict, str(SECONDS)),
        cwd=ROOT,
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode or not done.stdout:
        raise BookError(f"the voice of {key} ended with exit code {done.returncode}")
    # Pages always show pixi's form of the commands.
    return MEASURED.sub("", done.stdout.replace(runner(), "pixi run"))


def printed(events: str) -> str:
    """What a terminal shows of the events, as HTML."""
    file = io.StringIO()
    console = Console(
        file=file, width=WIDTH, force_terminal=True, color_system="standard"
    )
    writer = Typewriter(console)
    for line in events.splitlines():
        show(json.loads(line), writer)
    writer.finish()
    return as_html(file.getvalue())


def near(number: str) -> float:
    """The largest difference that a number may have between two processors."""
    return 0.011 if "." in number else 0.0


RECORDER = Recorder(
    "book.terminals", lambda: list(RECORDINGS), make, lambda: TERMINALS.glob("*.html")
)

if __name__ == "__main__":
    RECORDER.main()
