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
            self.seconds = perf_counter() - start
            if not self.new_ids:
                self.seconds_to_first_token = self.seconds
            self.new_ids.append(step.id)
            yield step, self._add(self._decoder.feed(step.id))

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


def statistics(run: Run, seed: int | None) -> str:
    """Sums up a run in one line; ``seed`` is None where nothing was drawn."""
    line = f"{len(run.prompt_ids)} prompt + {len(run.new_ids)} new tokens"
    if run.new_ids:
        line += f" · first token after {run.seconds_to_first_token:.2f} s"
        line += f" · {run.tokens_per_second:.1f} tokens/s"
    return line if seed is None else f"{line} · seed {seed}"


def as_json(run: Run, strategy: dict[str, Any]) -> str:
    """Writes a run as one JSON object; text and ids include the prompt."""
    return json.dumps(
        {
            "prompt": run.prompt,
            "text": run.text,
            "prompt_ids": run.prompt_ids,
            "ids": run.prompt_ids + run.new_ids,
            "strategy": strategy,
            "seconds": run.seconds,
            "seconds_to_first_token": run.seconds_to_first_token,
            "tokens_per_second": run.tokens_per_second,
        },
        ensure_ascii=False,
    )
