"""Figures and numbers of the book's first page."""

import ast
from importlib.metadata import version

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import play
from book.figures import style
from book.figures._words import quoted
from course.registry import ROOT, Exercise, load_registry

PROMPT = "Once upon a time"


def figures() -> dict[str, Figure]:
    return {"course-map": map_figure()}


def numbers() -> dict[str, str | list]:
    steps = [exercise for exercise in load_registry() if exercise.is_step]
    minutes = sum(step.minutes for step in steps)
    longest = max(steps, key=lambda step: step.minutes)
    rows = [[f"[{s.short}]({s.file}.md)", s.title, str(s.minutes)] for s in steps]
    return {
        "written": quoted(play.write(PROMPT, count=40)),
        "parameters": f"{sum(x.size for x in play.trained().values()):,}",
        "hours": f"{minutes / 60:.0f}",
        "shortest": str(min(step.minutes for step in steps)),
        "longest": str(longest.minutes),
        "longest_title": longest.title.lower(),
        "max": ".".join(version("max").split(".")[:2]),
        "lines": str(sum(code_lines(step) for step in steps)),
        "steps": [["step", "builds", "about minutes"], *rows],
    }


def code_lines(exercise: Exercise) -> int:
    """Counts a solution's lines, without empty lines, comments and docstrings."""
    tree = ast.parse((ROOT / exercise.solution_path).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = node.body[ast.get_docstring(node) is not None :]
    return len([line for line in ast.unparse(tree).splitlines() if line])


def map_figure() -> Figure:
    """Draws the steps between the text at the top and the text at the bottom."""
    figure, axes = style.canvas(642, width=480)
    stage(axes, 2, "“Once upon a time”", style.MUTED)
    stage(axes, 62, "05 tokens  +  06 positions", style.BLUE, "words become numbers")
    style.box(axes, 60, 142, 360, 282, color=style.MUTED, strength=0.04)
    style.label(axes, 76, 160, "11 the block, many times over", ha="left")
    half(
        axes,
        178,
        "08 attention in 09 heads, 07, 02",
        "tokens look at earlier tokens",
    )
    half(axes, 302, "04 feed-forward network", "each token is worked on alone")
    stage(axes, 438, "03 layer normalization", style.GREEN)
    stage(axes, 500, "13 how well would each token fit?", style.BLUE)
    stage(axes, 562, "14 choose one, append, repeat", style.PURPLE)
    for y in (41, 120, 478, 540):
        style.arrow(axes, (240, y), (240, y + 21))
    style.arrow(axes, (240, 425), (240, 437))
    axes.plot([400, 452, 452], [582, 582, 20], color=style.PURPLE, linewidth=1.5)
    style.arrow(axes, (452, 20), (402, 20), color=style.PURPLE)
    note = "12 stacks all of it · 01 holds the seven sizes"
    style.label(axes, 240, 626, note, color=style.MUTED)
    return figure


def stage(axes: Axes, y: float, text: str, color: str, below: str = "") -> None:
    """Draws a box across the middle, with a second line in it or none."""
    style.box(axes, 80, y, 320, 58 if below else 40, color=color)
    style.label(axes, 240, y + 20, text)
    style.label(axes, 240, y + 40, below, color=style.MUTED)


def half(axes: Axes, y: float, title: str, below: str) -> None:
    """Draws half a block: normalization, sublayer, sum."""
    style.box(axes, 80, y, 320, 112, color=style.ORANGE)
    style.label(axes, 240, y + 20, "03 numbers into range", color=style.GREEN)
    style.label(axes, 240, y + 46, title)
    style.label(axes, 240, y + 66, below, color=style.MUTED)
    style.label(axes, 240, y + 92, "10 add to what came in", color=style.ORANGE)
