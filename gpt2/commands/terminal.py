"""Prints a command's text on stdout, and everything else on stderr."""

import json
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from gpt2.commands.step_table import StepTable
from gpt2.decoding.generation import Step
from gpt2.runs import Run, Samples
from runtime.ctrl_c import stoppable


def write(text: str) -> None:
    """Writes to stdout without delay."""
    click.echo(text, nl=False)


def note(text: str) -> None:
    """Writes a note to stderr, without wrapping its lines."""
    Console(stderr=True).print(Text(text, style="dim"), soft_wrap=True)


def show(
    run: Run,
    steps: Iterable[Step],
    *,
    live: bool = True,
    table: StepTable | None = None,
) -> bool:
    """Shows steps while they are made; returns whether Ctrl-C stopped them.

    Args:
        run: stores the steps.
        steps: the steps of a ``Writer``.
        live: write new text to stdout at once.
        table: gets a row for every step.
    """
    interrupted = False
    try:
        with stoppable():
            for step, piece in run.follow(steps):
                if table:
                    table.add(step)
                if live:
                    write(piece)
    except KeyboardInterrupt:
        interrupted = True
    rest = run.finish()
    if live:
        write(f"{rest}\n")
    return interrupted


def statistics(run: Run | Samples, **more: float | None) -> str:
    """Returns a run's statistics in one line, with the values that are not None."""
    line = f"{len(run.prompt_ids)} prompt + {len(run.new_ids)} new tokens"
    if run.new_ids:
        line += f" · first token after {run.seconds_to_first_token:.2f} s"
        line += f" · {run.tokens_per_second:.1f} tokens/s"
    for name, value in more.items():
        if value is not None:
            shown = f"{value:.3f}" if isinstance(value, float) else value
            line += f" · {name} {shown}"
    return line


def write_json(report: dict[str, Any]) -> None:
    """Writes one JSON object to stdout, in a line."""
    write(json.dumps(report, ensure_ascii=False) + "\n")


def report_of(
    run: Run | Samples, strategy: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """Returns a run as an object for JSON; text and ids include the prompt."""
    if isinstance(run, Samples):
        written = {"samples": [_written(one) for one in run.runs]}
    else:
        written = _written(run)
    return {
        "prompt": run.prompt,
        "prompt_ids": run.prompt_ids,
        **written,
        "strategy": strategy,
        "seconds": run.seconds,
        "seconds_to_first_token": run.seconds_to_first_token,
        "tokens_per_second": run.tokens_per_second,
        **more,
    }


def _written(run: Run) -> dict[str, Any]:
    """Returns one run's text and ids, including the prompt."""
    return {"text": run.text, "ids": run.prompt_ids + run.new_ids}
