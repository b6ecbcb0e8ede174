"""Shows two arrays side by side, with the numbers that differ marked."""

from collections.abc import Sequence

import numpy as np
from rich.table import Table

from course.comparison import Comparison

ROWS, COLUMNS = 8, 5  # what fits side by side in 76 characters


def grid(comparison: Comparison) -> Table:
    """Shows the part of two arrays of equal shape that has the largest error.

    An array of many axes shows its last two. A long axis shows the places around the
    largest error.
    """
    error = np.atleast_2d(comparison.error)
    *front, row, column = map(int, np.unravel_index(error.argmax(), error.shape))
    rows = window(row, error.shape[-2], ROWS)
    columns = window(column, error.shape[-1], COLUMNS)
    expected, yours, wrong = (
        np.atleast_2d(array)[tuple(front)][np.ix_(rows, columns)]
        for array in (comparison.expected, comparison.yours, comparison.wrong)
    )
    axes = ["", *comparison.axes][-error.ndim :]
    part = place(axes, front, columns, error.shape[-1])
    table = Table.grid(padding=(0, 2))
    for _ in range(4):
        table.add_column(no_wrap=True)
    table.add_row("", f"[dim]expected[/]{part}", "[dim]yours[/]")
    for number, right, got, differs in zip(rows, expected, yours, wrong, strict=True):
        label = f"{axes[-2]} {number}" if axes[-2] else ""
        mark = "[red]✗[/]" if differs.any() else "[green]✓[/]"
        table.add_row(mark, numbers(right), numbers(got, differs), f"[dim]{label}[/]")
    return table


def window(place: int, size: int, most: int) -> list[int]:
    """Returns at most ``most`` neighbouring indices around a place."""
    start = min(max(0, place - most // 2), max(0, size - most))
    return list(range(size))[start : start + most]


def place(
    axes: Sequence[str], front: Sequence[int], columns: Sequence[int], size: int
) -> str:
    """Says which part of the arrays is shown; "" if all of it is."""
    parts = [f"{axis} {index}" for axis, index in zip(axes, front, strict=False)]
    if len(columns) < size:
        parts.append(f"{axes[-1]}s {columns[0]}–{columns[-1]}")
    return f" [dim]({', '.join(parts)})[/]" if parts else ""


def numbers(row: np.ndarray, differs: np.ndarray | None = None) -> str:
    """Writes a row of numbers; those that differ are red."""
    marks = [False] * len(row) if differs is None else differs
    return " ".join(
        f"[red]{number(x)}[/]" if mark else number(x)
        for x, mark in zip(row, marks, strict=True)
    )


def number(x: float) -> str:
    """Writes a number in five characters, if it is not very large or small."""
    size = abs(x)
    if not np.isfinite(x) or (x == np.rint(x) and size < 1e4):
        return f"{x:5.0f}"
    if size < 0.005 or size >= 1e4:
        return f"{x:5.0e}"
    return f"{x:5.{2 if size < 9.995 else 1 if size < 99.95 else 0}f}"
