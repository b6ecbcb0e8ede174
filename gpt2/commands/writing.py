"""Writes one text, or several at once, for the main command."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import click

from gpt2.commands.prompt import Start
from gpt2.commands.step_table import StepTable
from gpt2.commands.terminal import note, report_of, show, statistics, write, write_json
from gpt2.decoding.beams import Beams
from gpt2.decoding.generation import Strategy
from gpt2.runs import Run, Samples
from gpt2.writer import Writer
from runtime.ctrl_c import stoppable


@dataclass(frozen=True)
class Task:
    """A prompt to continue, the settings, and the form of the output."""

    start: Start
    strategy: Strategy | Beams
    json_object: bool


def chosen_strategy(
    ctx: click.Context,
    *,
    num_beams: int | None,
    length_penalty: float | None,
    num_samples: int,
    draft: str | None,
    show_steps: bool,
    **choice,
) -> Strategy | Beams:
    """Makes the settings of sampling or of beam search from the options.

    Raises:
        click.UsageError: two options contradict each other.
    """
    if num_beams is not None:
        _refuse_choices(ctx, [*choice, "seed", "num_samples", "draft"])
        given = {} if length_penalty is None else {"length_penalty": length_penalty}
        return Beams(num_beams, **given)
    strategy = Strategy(**choice)
    if num_samples > 1 and strategy.greedy:
        raise click.UsageError(
            "greedy writes one and the same text: --num-samples needs a temperature "
            "above 0."
        )
    if num_samples > 1 and draft:
        raise click.UsageError("--draft guesses for one text: leave out --num-samples.")
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


def write_one(writer: Writer, task: Task, *, show_steps: bool) -> bool:
    """Writes one text; returns whether Ctrl-C stopped it."""
    start = task.start
    run = Run(start.text, start.ids, writer.tokenizer)
    live = not (show_steps or task.json_object)
    write(start.text if live else "")
    table = StepTable(writer.tokenizer) if show_steps else None
    steps = writer.write(start.ids, start.count, task.strategy, look=show_steps)
    interrupted = show(run, steps, live=live, table=table)
    strategy = writer.description(task.strategy)
    more = {"score": writer.score} if isinstance(task.strategy, Beams) else {}
    if writer.speculation:
        more = {"calls": writer.speculation.calls}
    if task.json_object:
        write_json(report_of(run, strategy, **more))
    elif show_steps:
        write(f"{run.text}\n")
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
        samples.follow(writer.samples(start.ids, start.count, strategy, number))
        interrupted = False
    for run in samples.runs:
        run.finish()
    settings = writer.description(strategy)
    if task.json_object:
        write_json(report_of(samples, settings))
    else:
        for place, run in enumerate(samples.runs, start=1):
            write(f"── {place} of {number} ──\n{run.text}\n\n")
    note(statistics(samples, samples=number, seed=settings["seed"]))
    return interrupted
