"""``gpt2 compare``: continues one prompt with every way of choosing tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from gpt2.checkpoint.tokenizer import StreamingDecoder
from gpt2.commands.command import Command
from gpt2.commands.options import JSON, MODEL, SEED, max_new_tokens
from gpt2.commands.prompt import Start, open_start, read_prompt
from gpt2.commands.terminal import note, write_json
from gpt2.decoding.beams import Beams
from gpt2.decoding.generation import Strategy
from gpt2.decoding.ngrams import RUN, distinct, repeats, repetition
from gpt2.decoding.settings import SAMPLING
from gpt2.writer import Writer
from runtime.terminal import Console

GREEDY, PENALIZED = "greedy", "greedy, penalty 1.3"
WAYS: dict[str, Strategy | Beams] = {
    GREEDY: Strategy(temperature=0),
    PENALIZED: Strategy(temperature=0, repetition_penalty=1.3),
    "4 beams": Beams(4),
    **{
        f"{setting.flag[2:]} {value:g}": Strategy(**{setting.name: value})
        for setting in SAMPLING
        if not setting.penalty
        for value in setting.tried
    },
}
NEW_TOKENS = 120  # enough for greedy search to repeat itself
LEGEND = f"""
distinct: the share of different tokens among all (distinct-1, Li et al. 2016).
repeats: the share of runs of {RUN} tokens that occurred before (seq-rep-{RUN},
Welleck et al. 2020). Each token that completes such a run is underlined."""


@dataclass(frozen=True)
class Continuation:
    """The continuation that one way of choosing wrote, without the prompt."""

    name: str
    strategy: dict[str, Any]
    ids: list[int]
    text: str
    score: float | None

    @property
    def distinct(self) -> float | None:
        """The share of different tokens among all tokens."""
        return distinct([self.ids], 1)

    @property
    def repetition(self) -> float | None:
        """The share of n-grams that repeat an earlier one."""
        return repetition(self.ids)

    def report(self) -> dict[str, Any]:
        """Returns all results as a JSON object."""
        rates = {"distinct_1": self.distinct, f"repetition_{RUN}": self.repetition}
        score = {} if self.score is None else {"score": self.score}
        fields = ("name", "strategy", "ids", "text")
        return {name: getattr(self, name) for name in fields} | rates | score


@click.command(cls=Command)
@click.argument("prompt", required=False)
@MODEL
@max_new_tokens(NEW_TOKENS, "Tokens that each way may write.")
@SEED
@JSON
def compare(
    prompt: str | None,
    model: str,
    max_new_tokens: int | None,
    json_object: bool,
    engine: dict[str, Any],
    seed: int | None,
) -> None:
    """Continue PROMPT in every way of choosing tokens, side by side.

    The ways are greedy search with and without a repetition penalty, beam search,
    and sampling with each of its settings. All use the same prompt and seed.
    """
    text = read_prompt(prompt, None, literal=True)
    start = open_start(model, text, max_new_tokens, NEW_TOKENS)
    writer = Writer(start.checkpoint, seed=seed, note=note, **engine)
    start = start.cut_by(writer.tokenizer)
    continuations = list(follow(writer, start))
    if json_object:
        reports = [continuation.report() for continuation in continuations]
        write_json(start.describe() | {"seed": writer.seed, "ways": reports})
    else:
        console = Console(highlight=False)
        console.print(as_table(writer, continuations))
        console.print(Text(LEGEND, style="dim"))
        console.print(verdict(continuations))
        note(f"seed {writer.seed}")


def follow(writer: Writer, start: Start) -> Iterator[Continuation]:
    """Continues the prompt in one way after the other."""
    for name, strategy in WAYS.items():
        with Console(stderr=True).status(name):
            steps = list(writer.write(start.ids, start.count, strategy))
        new_ids = [step.id for step in steps]
        if new_ids[-1] in writer.tokenizer.end_ids:
            new_ids.pop()  # not part of the text
        text = writer.tokenizer.decode(new_ids)
        score = writer.score if isinstance(strategy, Beams) else None
        description = writer.description(strategy)
        yield Continuation(name, description, new_ids, text, score)


def as_table(writer: Writer, continuations: list[Continuation]) -> Table:
    """Returns a table of the texts with their rates."""
    table = Table(box=None, padding=(0, 1, 1, 0))  # an empty line between texts
    table.add_column("way", max_width=11)
    table.add_column("distinct", justify="right")
    table.add_column("repeats", justify="right")
    table.add_column("what follows the prompt")
    for one in continuations:
        rates = map(percent, (one.distinct, one.repetition))
        table.add_row(one.name, *rates, underlined(writer, one.ids))
    return table


def underlined(writer: Writer, ids: list[int]) -> Text:
    """Returns the text in one paragraph; ends of repeated n-grams are underlined."""
    decoder, text = StreamingDecoder(writer.tokenizer), Text()
    for token, again in zip(ids, repeats(ids), strict=True):
        piece = decoder.feed(token).replace("\n", "↵ ")
        text.append(piece, style="bold underline" if again else "")
    return text.append(decoder.finish())


def percent(rate: float | None) -> str:
    """Returns a share in percent; a dash for None."""
    return "–" if rate is None else f"{rate:.0%}"


def verdict(continuations: list[Continuation]) -> str:
    """Returns a sentence on greedy search's repetition, with and without penalty."""
    rates = {one.name: percent(one.repetition) for one in continuations}
    return (
        f"\nOf greedy search's runs of {RUN} tokens, {rates[GREEDY]} occurred "
        f"before; with a repetition penalty, {rates[PENALIZED]}."
    )
