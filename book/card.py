"""The parts of a chapter that come from the registry and from the exercise's files."""

from collections.abc import Callable

from book.listing import file
from book.pages import exercise_of
from book.signature import signature
from book.view import shown_by, view
from course.registry import ROOT, Exercise, find_exercise, load_registry

Expand = Callable[[str], str]
HARDEST = 5
SHORTCUTS = '<a href="#your-task">the task</a><a href="#skeleton">the skeleton</a>'


def chapter(arguments: str, expand: Expand) -> str:
    """The beginning of a chapter: place, title, card, and its stages of the model."""
    exercise = exercise_of(arguments)
    shown = shown_by(exercise)
    rows = "".join(
        f"<div><dt>{name}</dt><dd>{value}</dd></div>"
        for name, value in facts(exercise).items()
    )
    return (
        f'<p class="place">{place(exercise)}{signature(exercise)}</p>\n\n'
        f"# {exercise.title}\n\n"
        f'<p class="summary">{exercise.summary}</p>\n'
        f'<div class="card"><dl>{rows}</dl>\n{run_line(exercise)}</div>\n'
        f"{view(shown) if shown else ''}"
    )


def place(exercise: Exercise) -> str:
    """An exercise's place in the course, such as ``Step 8 of 14``."""
    steps = sum(e.is_step for e in load_registry())
    if not exercise.is_step:
        return "Encore" if exercise.number > steps else "Encore before the first step"
    return f"Step {exercise.number} of {steps}"


def facts(exercise: Exercise) -> dict[str, str]:
    """The card's rows: a name, and its text as HTML."""
    stars = "●" * exercise.difficulty + "○" * (HARDEST - exercise.difficulty)
    level = f"{exercise.difficulty} of {HARDEST}"
    earlier = [find_exercise(key) for key in exercise.builds_on]
    links = [
        f'<a href="{e.chapter_path.name}">{e.short} {e.title}</a>' for e in earlier
    ]
    return {
        "Time": f"about {exercise.minutes} minutes",
        "Difficulty": f'<span role="img" aria-label="{level}">{stars}</span>',
        "Builds on": " ".join(links) or "nothing before it",
        "Your file": f"<code>{exercise.step_path}</code>{SHORTCUTS}",
    }


def task(arguments: str, expand: Expand) -> str:
    """The command that checks the exercise."""
    return run_line(exercise_of(arguments))


def run_line(exercise: Exercise) -> str:
    """The HTML of the command that checks an exercise, with pixi and with uv."""
    return (
        '<div class="task"><span class="label">Run this</span>'
        f"{command(f'pixi run {exercise.key}')}"
        f'<span class="or">or</span>{command(f"uv run {exercise.key}")}'
        "</div>"
    )


def command(text: str) -> str:
    """The HTML of a command. The page's script adds a button that copies it."""
    return f'<span class="command"><code>{text}</code></span>'


def skeleton(arguments: str, expand: Expand) -> str:
    """The untouched skeleton, even when the learner has changed their copy."""
    exercise = exercise_of(arguments)
    text = (ROOT / exercise.skeleton_path).read_text(encoding="utf-8")
    return file(str(exercise.step_path), text, anchor="skeleton")


def solution(arguments: str, expand: Expand) -> str:
    """The solution, hidden until the reader opens it."""
    exercise = exercise_of(arguments)
    path = exercise.solution_path
    text = (ROOT / path).read_text(encoding="utf-8")
    return (
        '<details class="solution">\n<summary>Show the solution</summary>\n\n'
        f"{file(str(path), text)}\n\n</details>"
    )
