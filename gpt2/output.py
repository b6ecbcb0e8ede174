"""What the command prints: the text on stdout, everything else on stderr."""

import json
from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from gpt2.generation import Step
from gpt2.tokenizer import StreamingDecoder, Tokenizer


def write(text: str) -> None:
    """Writes to stdout at once."""
    click.echo(text, nl=False)


def note(text: str) -> None:
    """Writes about the run to stderr, one line even where that is no terminal."""
    Console(stderr=True).print(Text(text, style="dim"), soft_wrap=True)


class Run:
    """One generation: what was written and how long it took.

    Args:
        prompt: as the user gave it.
        prompt_ids: what the model was given.
        tokenizer: turns the new ids into text.
    """

    def __init__(
        self, prompt: str, prompt_ids: Sequence[int], tokenizer: Tokenizer
    ) -> None:
        self.prompt, self.prompt_ids = prompt, list(prompt_ids)
        self.new_ids: list[int] = []
        self.text = prompt
        self.seconds, self.seconds_to_first_token = 0.0, None
        self._decoder = StreamingDecoder(tokenizer)

    def follow(self, steps: Iterable[Step]) -> Iterator[tuple[Step, str]]:
        """Passes steps on, each with the text that is complete with it."""
        start = perf_counter()
        for step in steps:
            yield step, self.add(step, perf_counter() - start)

    def add(self, step: Step, seconds: float) -> str:
        """Takes in a step that came so long after the start; returns its text."""
        self.seconds = seconds
        if not self.new_ids:
            self.seconds_to_first_token = seconds
        self.new_ids.append(step.id)
        return self._add(self._decoder.feed(step.id))

    def finish(self) -> str:
        """Returns what the decoder still held back."""
        return self._add(self._decoder.finish())

    def _add(self, piece: str) -> str:
        self.text += piece
        return piece

    @property
    def tokens_per_second(self) -> float | None:
        """New tokens per second, the first included; None if there are none."""
        return len(self.new_ids) / self.seconds if self.new_ids else None


class Batch:
    """Several runs of one prompt that are written at the same time.

    Args:
        runs: at least one; they share prompt and tokenizer.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list(runs)
        self.prompt, self.prompt_ids = runs[0].prompt, runs[0].prompt_ids

    def follow(self, steps: Iterable[tuple[int, Step]]) -> None:
        """Takes in (row, step) pairs until there are no more."""
        start = perf_counter()
        for row, step in steps:
            self.runs[row].add(step, perf_counter() - start)

    @property
    def new_ids(self) -> list[int]:
        """The new tokens of all runs."""
        return [token for run in self.runs for token in run.new_ids]

    @property
    def seconds(self) -> float:
        """How long all of it took."""
        return max(run.seconds for run in self.runs)

    @property
    def seconds_to_first_token(self) -> float | None:
        """When the first row had its first token."""
        return self.runs[0].seconds_to_first_token

    @property
    def tokens_per_second(self) -> float | None:
        """New tokens of all rows per second; None if there are none."""
        return len(self.new_ids) / self.seconds if self.new_ids else None


def statistics(run: Run | Batch, **more: float | None) -> str:
    """Sums up a run in one line, with whatever else is not None."""
    line = f"{len(run.prompt_ids)} prompt + {len(run.new_ids)} new tokens"
    if run.new_ids:
        line += f" · first token after {run.seconds_to_first_token:.2f} s"
        line += f" · {run.tokens_per_second:.1f} tokens/s"
    for name, value in more.items():
        if value is not None:
            shown = f"{value:.3f}" if isinstance(value, float) else value
            line += f" · {name} {shown}"
    return line


def as_json(run: Run | Batch, strategy: dict[str, Any], **more: Any) -> str:
    """Writes a run as one JSON object; text and ids include the prompt."""
    if isinstance(run, Batch):
        written = {"samples": [_written(one) for one in run.runs]}
    else:
        written = _written(run)
    report = {
        "prompt": run.prompt,
        "prompt_ids": run.prompt_ids,
        **written,
        "strategy": strategy,
        "seconds": run.seconds,
        "seconds_to_first_token": run.seconds_to_first_token,
        "tokens_per_second": run.tokens_per_second,
    }
    return json.dumps(report | more, ensure_ascii=False)


def _written(run: Run) -> dict[str, Any]:
    """What one run has written, after its prompt."""
    return {"text": run.text, "ids": run.prompt_ids + run.new_ids}
