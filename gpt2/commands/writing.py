"""Writes one text, or several at once, for the main command."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click

from gpt2.commands.prompt import Start
from gpt2.commands.step_table import StepTable
from gpt2.commands.terminal import note, report_of, show, statistics, write, write_json
from gpt2.decoding.beams import Beams
from gpt2.decoding.generation import Strategy
from gpt2.decoding.matching import Matching
from gpt2.runs import Run, Samples
from gpt2.writer import Writer
from runtime.ctrl_c import stoppable


@dataclass(frozen=True)
class Task:
    """A prompt to continue, the settings, and the form of the output."""

    start: Start
    strategy: Strategy | Beams
    json_object: bool
    matching: Matching | None = None

    def ending(self, run: Run) -> dict[str, Any]:
        """Returns how a text ended, for JSON; empty without a pattern."""
        if not self.matching:
            return {}
        full = len(run.new_ids) == self.start.count
        reason = "stop" if run.ended else "length" if full else "interrupt"
        matches = self.matching.matches(run.new_ids)
        return {"finish_reason": reason, "matches": matches}

    def describe(self, writer: Writer) -> dict[str, Any]:
        """Returns the settings that repeat the run."""
        pattern = {"matching": self.matching.pattern} if self.matching else {}
        return writer.description(self.strategy) | pattern


def chosen_strategy(
    ctx: click.Context,
    *,
    num_beams: int | None,
    length_penalty: float | None,
    num_samples: int,
    draft: str | None,
    matching: str | None,
    show_steps: bool,
    **choice,
) -> Strategy | Beams:
    """Makes the settings of sampling or of beam search from the options.

    Raises:
        click.UsageError: two options contradict each other.
    """
    if num_beams is not None:
        names = [*choice, "seed", "num_samples", "draft", "matching"]
        _refuse_choices(ctx, names)
        given = {} if length_penalty is None else {"length_penalty": length_penalty}
        return Beams(num_beams, **given)
    strategy = Strategy(**choice)
    if num_samples > 1 and strategy.greedy:
        raise click.UsageError(
            "greedy writes one and the same text: --num-samples needs a temperature "
            "above 0."
        )
    if draft and num_samples > 1:
        raise click.UsageError("--draft guesses for one text: leave out --num-samples.")
    if draft and matching is not None:
        raise click.UsageError("--draft knows no pattern: leave out --matching.")
    if num_samples > 1 and show_steps:
        raise click.UsageError("--show-steps shows one text: leave out --num-samples.")
    return strategy


def _refuse_choices(ctx: click.Context, names: Sequence[str]) -> None:
    """Raises a usage error if any of these options was given with --beams."""
    for name in names:
        if ctx.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE:
            options = [p.opts[0] for p in ctx.command.params if p.name == name]
            raise click.UsageError(
                "--beams looks for the likeliest text and cannot be used with "
                f"{' or '.join(options)}."
            )


def note_unfinished(task: Task, runs: Sequence[Run]) -> None:
    """Says how many texts are no texts of the pattern yet."""
    endings = [task.ending(run) for run in runs]
    left = sum(not ending.get("matches", True) for ending in endings)
    if left:
        which = f"{left} of {len(runs)} texts do" if len(runs) > 1 else "the text does"
        note(f"{which} not match the pattern yet: more new tokens are needed")


def write_one(writer: Writer, task: Task, *, show_steps: bool) -> bool:
    """Writes one text; returns whether Ctrl-C stopped it."""
    start = task.start
    run = Run(start.text, start.ids, writer.tokenizer)
    live = not (show_steps or task.json_object)
    write(start.text if live else "")
    table = StepTable(writer.tokenizer) if show_steps else None
    steps = writer.write(
        start.ids, start.count, task.strategy, look=show_steps, matching=task.matching
    )
    interrupted = show(run, steps, live=live, table=table)
    strategy = task.describe(writer)
    more = {"score": writer.score} if isinstance(task.strategy, Beams) else {}
    if writer.speculation:
        more = {"calls": writer.speculation.calls}
    if task.json_object:
        write_json(report_of(run, strategy, **more, **task.ending(run)))
    elif show_steps:
        write(f"{run.text}\n")
    note_unfinished(task, [run])
    note(statistics(run, seed=strategy.get("seed"), **more))
    return interrupted


def write_samples(writer: Writer, task: Task, number: int) -> bool:
    """Writes several texts, then prints all; returns whether Ctrl-C stopped them."""
    start, strategy = task.start, task.strategy
    assert isinstance(strategy, Strategy)  # --beams refuses --num-samples
    samples = Samples(
        [Run(start.text, start.ids, writer.tokenizer) for _ in range(number)]
    )
    interrupted = True
    with suppress(KeyboardInterrupt), stoppable():
        samples.follow(
            writer.samples(
                start.ids, start.count, strategy, number, matching=task.matching
            )
        )
        interrupted = False
    for run in samples.runs:
        run.finish()
    settings = task.describe(writer)
    if task.json_object:
        report = report_of(samples, settings)
        for written, run in zip(report["samples"], samples.runs, strict=True):
            written |= task.ending(run)
        write_json(report)
    else:
        for place, run in enumerate(samples.runs, start=1):
            write(f"── {place} of {number} ──\n{run.text}\n\n")
    note_unfinished(task, samples.runs)
    note(statistics(samples, samples=number, seed=settings["seed"]))
    return interrupted
