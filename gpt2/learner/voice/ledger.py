"""The table of what a learner built: lines, parameters, time, mistakes."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from rich.markup import escape

from course.history import Event, mended, seconds_by_exercise
from course.registry import ROOT, Exercise, load_registry
from gpt2.checkpoint.loading import Checkpoint
from gpt2.learner.voice.parts import Attempt

TITLE = 34  # characters
# A word in a parameter's name, and the step that builds its layer.
BUILDERS = {
    "wte": "s05",
    "wpe": "s06",
    "c_attn": "s07",
    ".attn.c_proj": "s09",
    ".mlp.": "s04",
    "ln_": "s03",
}


def ledger(attempt: Attempt, history: list[Event]) -> Iterator[str]:
    """Yields the table's lines: one for each step, and one for all."""
    steps = [exercise for exercise in load_registry() if exercise.is_step]
    lines = {e.key: own_lines(attempt.steps_dir, e) for e in steps}
    numbers = parameters(attempt.checkpoint)
    spent, mistakes = seconds_by_exercise(history), mended(history)
    yield row("", "", "lines", "parameters", "time", "mended", "dim")
    for step in steps:
        yield row(
            step.short,
            step.title,
            str(lines[step.key]),
            f"{numbers.get(step.key, 0):,}" if step.key in numbers else "",
            duration(spent[step.key]) if step.key in spent else "–",
            str(len(mistakes.get(step.key, [])) or ""),
        )
    yield row(
        "",
        "in all",
        str(sum(lines.values())),
        f"{sum(numbers.values()):,}",
        duration(sum(spent.values())) if spent else "–",
        str(sum(map(len, mistakes.values()))),
        "bold",
    )


def row(
    number: str,
    title: str,
    lines: str,
    parameters: str,
    time: str,
    mended: str,
    style: str = "",
) -> str:
    """Sets one line of the table."""
    if len(title) > TITLE:
        title = f"{title[: TITLE - 1]}…"
    text = (
        f"{number:>4} {title:<{TITLE}} {lines:>5} {parameters:>10} {time:>9} "
        f"{mended:>6}"
    )
    return f"[{style}]{escape(text)}[/]" if style else escape(text)


def own_lines(steps_dir: Path, exercise: Exercise) -> int:
    """Counts the lines of code that the learner added to the skeleton."""
    theirs = (ROOT / exercise.skeleton_path).read_text("utf-8").splitlines()
    text = (steps_dir / exercise.step_path.name).read_text("utf-8", errors="replace")
    changes = difflib.ndiff(theirs, text.splitlines())
    added = [line[2:].strip() for line in changes if line.startswith("+ ")]
    return sum(bool(line) and not line.startswith("#") for line in added)


def parameters(checkpoint: Checkpoint) -> dict[str, int]:
    """Returns how many of the embedded model's parameters go through each step."""
    counts: dict[str, int] = {}
    for name, array in checkpoint.weights.items():
        key = next(key for word, key in BUILDERS.items() if word in name)
        counts[key] = counts.get(key, 0) + array.size
    return counts


def duration(seconds: float) -> str:
    """Returns a time in hours and minutes."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02}"
