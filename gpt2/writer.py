"""Text from an engine: an opened model that continues texts. It knows no terminal."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.beams import Beams, Continuations, replay
from gpt2.decoding.generation import Step, Strategy, generate_batch
from gpt2.learner.encores import open_encores
from gpt2.learner.step_errors import blame_steps
from gpt2.open_engine import open_engine


class Writer:
    """An opened model with one source of randomness.

    Args:
        checkpoint: the model.
        mine: run the learner's model with the checkpoint's weights, and the encores
            that they have finished.
        cache: keep keys and values between tokens.
        device: "cpu" or "gpu".
        seed: None takes a new one.
        note: gets a sentence when somebody has to wait, or an encore is borrowed.

    Attributes:
        engine: the model.
        score: what the last beam search found its text to be worth.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        mine: bool,
        cache: bool,
        device: str,
        seed: int | None,
        note: Callable[[str], None],
    ) -> None:
        self.tokenizer = checkpoint.tokenizer
        self.seed = secrets.randbelow(1_000_000) if seed is None else seed
        self.score: float | None = None
        self._blame = blame_steps if mine else nullcontext
        self.engine = open_engine(
            checkpoint, mine=mine, cache=cache, device=device, on_compile=note
        )
        self._encores = open_encores(mine=mine, note=note)
        self._rng = np.random.default_rng(self.seed)

    def steps(
        self, ids: Sequence[int], count: int, strategy: Strategy
    ) -> Iterator[Step]:
        """Continues ``ids`` by up to ``count`` tokens, with new draws every time."""
        return _alone(self._generate(ids, count, strategy, self._rng.spawn(1)))

    def samples(
        self, ids: Sequence[int], count: int, strategy: Strategy, number: int
    ) -> Iterator[tuple[int, Step]]:
        """Continues ``ids`` several times in one batch; yields (sample, step).

        Every sample draws from a generator of its own, made from the seed, so that
        it is the same text however many others there are (but for rounding in the
        model).
        """
        rngs = np.random.default_rng(self.seed).spawn(number)
        return self._generate(ids, count, strategy, rngs)

    def _generate(
        self,
        ids: Sequence[int],
        count: int,
        strategy: Strategy,
        rngs: Sequence[np.random.Generator],
    ) -> Iterator[tuple[int, Step]]:
        """Yields what ``generate_batch`` does; a learner's error names their file."""
        with self._blame():
            yield from generate_batch(
                self.engine,
                ids,
                strategy,
                rngs,
                max_new_tokens=count,
                end_of_text_id=self.tokenizer.end_of_text_id,
                sampling=self._encores.sampling,
            )

    def search(
        self, ids: Sequence[int], count: int, beams: Beams, *, look: bool = False
    ) -> Iterator[Step]:
        """Yields the steps of the text that a beam search finds, all at its end.

        With ``look`` the model reads that text once more, to say how likely each
        token was.
        """
        if count == 0:
            return
        with self._blame():
            found, self.score = self._encores.beam_search.beam_search(
                Continuations(self.engine),
                ids,
                num_beams=beams.num_beams,
                length_penalty=beams.length_penalty,
                max_new_tokens=count,
                eos_token_id=self.tokenizer.end_of_text_id,
            )
            new_ids = [int(token) for token in found[len(ids) :]]
        yield from replay(self.engine, ids, new_ids) if look else map(Step, new_ids)

    def write(
        self,
        ids: Sequence[int],
        count: int,
        strategy: Strategy | Beams,
        *,
        look: bool = False,
    ) -> Iterator[Step]:
        """Continues ``ids`` in whichever way; what is drawn depends on the seed."""
        if isinstance(strategy, Beams):
            return self.search(ids, count, strategy, look=look)
        return _alone(self.samples(ids, count, strategy, 1))

    def description(self, strategy: Strategy | Beams) -> dict[str, Any]:
        """Returns what is needed to repeat a run."""
        drawn = isinstance(strategy, Strategy) and not strategy.greedy
        return strategy.describe() | ({"seed": self.seed} if drawn else {})


def _alone(steps: Iterable[tuple[int, Step]]) -> Iterator[Step]:
    """The steps of a batch of one."""
    return (step for _, step in steps)
