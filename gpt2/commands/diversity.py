"""``gpt2 diversity``: measures how temperature changes the diversity of texts."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from gpt2.commands.command import Command
from gpt2.commands.compare import percent
from gpt2.commands.options import JSON, MODEL, SEED, max_new_tokens, option_of
from gpt2.commands.prompt import open_start, read_prompt
from gpt2.commands.terminal import note, write_json
from gpt2.decoding.generation import Strategy
from gpt2.decoding.ngrams import distinct
from gpt2.decoding.settings import NUM_SAMPLES
from gpt2.writer import Writer
from runtime.terminal import Console

TEMPERATURES = (0.0, 0.3, 0.5, 0.7, 1.0, 1.3, 1.6, 2.0)
NEW_TOKENS = 15
LEGEND = """
distinct-1, distinct-2: the share of different tokens, and of different pairs
of neighbours, among those of all texts together (Li et al. 2016)."""


@dataclass(frozen=True)
class Diversity:
    """How much the texts written at one temperature differ.

    Attributes:
        temperature: 0 is greedy, and all texts are the same.
        samples: the number of texts.
        different: the number of different texts.
        distinct_1, distinct_2: for all texts together; None if there are no n-grams.
    """

    temperature: float
    samples: int
    different: int
    distinct_1: float | None
    distinct_2: float | None


def measure(
    writer: Writer,
    ids: Sequence[int],
    samples: int,
    count: int,
    temperatures: Sequence[float] = TEMPERATURES,
) -> Iterator[Diversity]:
    """Continues a prompt ``samples`` times at each temperature, without filters."""
    for temperature in temperatures:
        texts: list[list[int]] = [[] for _ in range(samples)]
        strategy = Strategy(temperature=temperature)
        for row, step in writer.samples(ids, count, strategy, samples):
            texts[row].append(step.id)
        different = len(set(map(tuple, texts)))
        rates = distinct(texts, 1), distinct(texts, 2)
        yield Diversity(temperature, samples, different, *rates)


@click.command(cls=Command)
@click.argument("prompt", required=False)
@MODEL
@max_new_tokens(NEW_TOKENS, "Tokens of each text.")
@option_of(
    replace(NUM_SAMPLES, least=2, default=20),
    help="Texts at each temperature, in one batch.",
)
@SEED
@JSON
def diversity(
    prompt: str | None,
    model: str,
    max_new_tokens: int | None,
    num_samples: int,
    json_object: bool,
    engine: dict[str, Any],
    seed: int | None,
) -> None:
    """Continue PROMPT many times at rising temperatures, and count what differs."""
    text = read_prompt(prompt, None, literal=True)
    start = open_start(model, text, max_new_tokens, NEW_TOKENS)
    writer = Writer(start.checkpoint, seed=seed, note=note, **engine)
    start = start.cut_by(writer.tokenizer)
    with Console(stderr=True).status("writing"):
        rows = list(measure(writer, start.ids, num_samples, start.count))
    if json_object:
        reports = [asdict(row) for row in rows]
        write_json(start.describe() | {"seed": writer.seed, "temperatures": reports})
        return
    console = Console()
    console.print(as_table(rows))
    console.print(Text(LEGEND, style="dim"))
    note(f"seed {writer.seed}")


def as_table(rows: Sequence[Diversity]) -> Table:
    """Returns a table of temperatures, with a bar for the share of different texts."""
    table = Table(box=None)
    for name in ("temperature", "different texts", "", "distinct-1", "distinct-2"):
        table.add_column(name, justify="left" if name == "" else "right")
    for row in rows:
        bar = "█" * round(20 * row.different / row.samples)
        counted = f"{row.different} of {row.samples}"
        rates = map(percent, (row.distinct_1, row.distinct_2))
        table.add_row(f"{row.temperature:g}", counted, bar, *rates)
    return table
