"""Small drawings of characters, as lines with Rich's markup."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from rich.markup import escape

WIDTH = 30  # characters of the longest bar


def bars(rows: Iterable[tuple[str, float, str]]) -> Iterator[str]:
    """Draws rows of a label, a length and a note; the longest bar has all the width."""
    rows = list(rows)
    longest = max((length for _, length, _ in rows), default=0) or 1
    space = max((len(label) for label, _, _ in rows), default=0)
    for label, length, note in rows:
        bar = "█" * round(WIDTH * length / longest)
        yield f"  {escape(label.rjust(space))}  [cyan]{bar.ljust(WIDTH)}[/]  {note}"


def seen(mask: np.ndarray, labels: Sequence[str]) -> Iterator[str]:
    """Draws a mask ``[T, T]``: what each token may see, one row for each token."""
    space = max(map(len, labels))
    for label, row in zip(labels, mask, strict=True):
        cells = " ".join(map(cell, row))
        yield f"  {escape(label.rjust(space))}  {cells}"


def cell(value: float) -> str:
    """Draws one number of a mask: a dot where 0 lets a token see."""
    if value == 0:
        return "[cyan]●[/]"
    return "[dim]·[/]" if value < -100 else "[red]?[/]"
