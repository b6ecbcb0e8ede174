"""Runs of a model, with the text and the time of each run."""

from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter

from gpt2.checkpoint.tokenizer import StreamingDecoder, Tokenizer
from gpt2.decoding.generation import Step


class Run:
    """One generation, with its text and its time in seconds.

    Args:
        prompt: the user's text.
        prompt_ids: the token ids that the model gets.
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
        self._decoder, self._end_ids = StreamingDecoder(tokenizer), tokenizer.end_ids

    def follow(self, steps: Iterable[Step]) -> Iterator[tuple[Step, str]]:
        """Yields each step with the text that this step completes."""
        start = perf_counter()
        for step in steps:
            yield step, self.add(step, perf_counter() - start)

    def add(self, step: Step, seconds: float) -> str:
        """Adds a step that came ``seconds`` after the start; returns its text."""
        self.seconds = seconds
        if not self.new_ids:
            self.seconds_to_first_token = seconds
        self.new_ids.append(step.id)
        return self._add(self._decoder.feed(step.id))

    def finish(self) -> str:
        """Returns the text that the decoder still holds back."""
        return self._add(self._decoder.finish())

    @property
    def ended(self) -> bool:
        """Whether the last token is one that ends the text."""
        return bool(self.new_ids) and self.new_ids[-1] in self._end_ids

    def _add(self, piece: str) -> str:
        self.text += piece
        return piece

    @property
    def tokens_per_second(self) -> float | None:
        """New tokens per second, with the first token; None without new tokens."""
        return len(self.new_ids) / self.seconds if self.new_ids else None


class Samples:
    """Several runs of one prompt, written at the same time.

    Args:
        runs: one or more, all with the same prompt and tokenizer.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list(runs)
        self.prompt, self.prompt_ids = runs[0].prompt, runs[0].prompt_ids

    def follow(self, steps: Iterable[tuple[int, Step]]) -> None:
        """Adds all (row, step) pairs to their runs."""
        start = perf_counter()
        for row, step in steps:
            self.runs[row].add(step, perf_counter() - start)

    @property
    def new_ids(self) -> list[int]:
        """The new tokens of all runs."""
        return [token for run in self.runs for token in run.new_ids]

    @property
    def seconds(self) -> float:
        """Seconds until the last run ended."""
        return max(run.seconds for run in self.runs)

    @property
    def seconds_to_first_token(self) -> float | None:
        """Seconds until the first row had its first token."""
        return self.runs[0].seconds_to_first_token

    @property
    def tokens_per_second(self) -> float | None:
        """New tokens of all rows per second; None without new tokens."""
        return len(self.new_ids) / self.seconds if self.new_ids else None
