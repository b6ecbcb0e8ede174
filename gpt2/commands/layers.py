"""``gpt2 layers``: finds the first layer in which a learner's model differs."""

from collections.abc import Iterator

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from gpt2.commands.command import Command
from gpt2.commands.options import MODEL_NAME
from gpt2.commands.prompt import as_argument, open_start
from gpt2.learner.layer_comparison import PROMPT, Comparison, Pair, compare
from runtime.defaults import on_the_cpu, silence_advice


@click.command(cls=Command)
@MODEL_NAME
@click.option(
    "--prompt", "text", default=PROMPT, show_default=True, help="Text for both models."
)
@click.pass_context
def layers(ctx: click.Context, model: str, text: str) -> None:
    """Compare your model with the reference, layer by layer, on real weights."""
    silence_advice()
    start = open_start(model, as_argument(text), 0)
    ids = np.array([start.ids], dtype=np.int64)
    table = Table("piece", "step", "largest difference", "", box=None)
    with on_the_cpu():
        n_layer = start.checkpoint.config.n_layer
        walk = compare(Pair(start.checkpoint), ids, n_layer)
        different = first_difference(walk, table)
    Console().print(table)
    Console().print(verdict(different), highlight=False)
    ctx.exit(1 if different else 0)


def first_difference(walk: Iterator[Comparison], table: Table) -> Comparison | None:
    """Fills the table up to the first difference, and returns that comparison."""
    for comparison in walk:
        mark = "[green]✓[/]" if comparison.equal else "[red]✗[/]"
        name = comparison.place.removeprefix("transformer.") or "logits"
        number = f"{comparison.step:02}"
        table.add_row(name, number, f"{comparison.difference:.1e}", mark)
        if not comparison.equal:
            return comparison
    return None


def verdict(different: Comparison | None) -> str:
    """Returns the sentence under the table."""
    if different is None:
        return "\nYour model computes what the reference computes."
    return (
        f"\nThe first difference is in step {different.step:02}. Look at "
        f"steps/step_{different.step:02}.py, and at the steps that it imports."
    )
