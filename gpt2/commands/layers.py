"""``gpt2 layers``: finds the first stage in which a learner's model differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from course.registry import find_exercise
from gpt2.checkpoint.loading import need_gpt2
from gpt2.commands.command import Command
from gpt2.commands.options import MODEL_NAME, OWN_FILES
from gpt2.commands.prompt import as_argument, open_start
from gpt2.commands.terminal import note
from gpt2.learner.borrowing import Borrowed, begun, borrow
from gpt2.learner.stages import BLOCK_STEP, Point, maker_of, points
from runtime.defaults import silence_advice

if TYPE_CHECKING:
    from gpt2.learner.trace_comparison import Difference
    from gpt2.learner.tracing import Trace

PROMPT = "Once upon a time, there was a little girl"
Row = tuple[str, str, str, str, str]


@click.command(cls=Command)
@MODEL_NAME
@OWN_FILES
@click.option(
    "--prompt", "text", default=PROMPT, show_default=True, help="Text for both models."
)
@click.pass_context
def layers(
    ctx: click.Context, model: str, strict: bool, steps_dir: Path | None, text: str
) -> None:
    """Compare your model with the reference, stage by stage, on real weights.

    Every step that you have begun is compared, right or wrong. The others are
    borrowed from the solutions.
    """
    silence_advice()
    start = open_start(model, as_argument(text), 0)
    need_gpt2(start.checkpoint, "this command")
    # These import MAX, which takes longer than to say that a text does not fit.
    from gpt2.learner.trace_comparison import compare, verdict
    from gpt2.learner.tracing import run_traced, trace_reference

    reference = trace_reference(start.checkpoint, start.ids)
    borrowed = borrow(steps_dir, strict=strict, own=begun(steps_dir))
    note(borrowed.sentence())
    mine = run_traced(start.checkpoint, start.ids, borrowed)
    n_layer = start.checkpoint.config.n_layer
    differences = compare(mine, reference, borrowed, n_layer)
    table = Table("stage", "step", "whose", "largest difference", "", box=None)
    for row in rows(mine, reference, differences, list(points(n_layer))):
        table.add_row(*labelled(row, borrowed))
    Console().print(table)
    Console().print(Text(f"\n{verdict(differences, borrowed)}"), soft_wrap=True)
    ctx.exit(1 if differences else 0)


def rows(
    mine: Trace,
    reference: Trace,
    differences: Sequence[Difference],
    walk: Sequence[Point],
) -> Iterator[tuple[str, int, float, bool]]:
    """Yields name, step, largest difference and whether it is equal, up to the first.

    A block without a difference is one row. A block with one has a row for each stage.
    """
    from gpt2.learner.trace_comparison import largest_difference

    first = differences[0] if differences else None
    wrong = first.stage if first else None
    shown = [p for p in walk if p.is_stage and p.name in {*mine.values, wrong}]
    for block, group in groupby(shown, key=lambda point: point.block):
        names = [point.name for point in group]
        sizes = [largest_difference(name, mine, reference) for name in names]
        if block is not None and wrong not in names:
            yield f"h.{block}", BLOCK_STEP, max(sizes), True
            continue
        for name, size in zip(names, sizes, strict=True):
            if first and name == wrong:
                yield name, first.step, size, False
                return
            yield name, maker_of(name), size, True


def labelled(row: tuple[str, int, float, bool], borrowed: Borrowed) -> Row:
    """Returns a row of the table as text, with whose the stage is."""
    name, step, largest, equal = row
    exercise = find_exercise(f"{step}")
    mark = "[green]✓[/]" if equal else "[red]✗[/]"
    size = "–" if largest == float("inf") else f"{largest:.1e}"
    return name, exercise.short, borrowed.whose(exercise), size, mark
