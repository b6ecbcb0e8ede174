"""``gpt2 layers``: finds the first layer in which a learner's model differs."""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from course.commands import typed
from course.registry import find_exercise, short
from gpt2.checkpoint.loading import need_gpt2
from gpt2.commands.command import Command
from gpt2.commands.options import MODEL_NAME, OWN_FILES
from gpt2.commands.prompt import as_argument, open_start
from gpt2.commands.terminal import note
from gpt2.learner.borrowing import Borrowed, begun, borrow
from gpt2.learner.layer_comparison import PROMPT, Comparison, Pair, compare
from runtime.defaults import on_the_cpu, silence_advice


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
    """Compare your model with the reference, layer by layer, on real weights.

    Every step that you have begun is compared, right or wrong. The others are
    borrowed from the solutions.
    """
    silence_advice()
    start = open_start(model, as_argument(text), 0)
    need_gpt2(start.checkpoint, "this command")
    ids = np.array([start.ids], dtype=np.int64)
    borrowed = borrow(steps_dir, strict=strict, own=begun(steps_dir))
    note(borrowed.sentence())
    table = Table("piece", "step", "whose", "largest difference", "", box=None)
    with on_the_cpu():
        n_layer = start.checkpoint.config.n_layer
        walk = compare(Pair(start.checkpoint), ids, n_layer)
        different = first_difference(walk, table, borrowed)
    Console().print(table)
    Console().print(verdict(different, borrowed), highlight=False)
    ctx.exit(1 if different else 0)


def first_difference(
    walk: Iterator[Comparison], table: Table, borrowed: Borrowed
) -> Comparison | None:
    """Fills the table up to the first difference, and returns that comparison."""
    for comparison in walk:
        mark = "[green]✓[/]" if comparison.equal else "[red]✗[/]"
        name = comparison.place.removeprefix("transformer.") or "logits"
        exercise = find_exercise(f"{comparison.step}")
        difference = f"{comparison.difference:.1e}"
        whose = borrowed.whose(exercise)
        table.add_row(name, exercise.short, whose, difference, mark)
        if not comparison.equal:
            return comparison
    return None


def verdict(different: Comparison | None, borrowed: Borrowed) -> str:
    """Returns the sentence under the table."""
    if different is None:
        if not borrowed.own:
            return "\nNothing is yours yet, so both models are the reference."
        return "\nYour model computes what the reference computes."
    exercise = find_exercise(f"{different.step}")
    if exercise.key in borrowed.own:
        file = short(borrowed.steps_dir / exercise.step_path.name)
        look = f"Look at {file}, and at the steps that it imports."
    else:
        look = "That step is borrowed: look at your own steps that it imports."
    return (
        f"\nThe first difference is in step {exercise.short}. {look} "
        f"{typed('course progress')} says which steps pass."
    )
