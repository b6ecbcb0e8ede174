"""Runs of a model: what each wrote, and how long it took."""

from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter

from gpt2.checkpoint.tokenizer import StreamingDecoder, Tokenizer
from gpt2.decoding.generation import Step


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
        self.seconds = 0.0
        self.seconds_to_first_token: float | None = None
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


class Samples:
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
