"""Continues texts with an opened model. Nothing here prints."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gpt2.checkpoint.drafts import Draft
from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.beams import Beams, Continuations, replay
from gpt2.decoding.generation import (
    Chooser,
    Step,
    Strategy,
    choose,
    generate_batch,
)
from gpt2.decoding.speculation import Speculation
from gpt2.learner.borrowing import borrow
from gpt2.learner.own_decoding import OwnDecoding
from gpt2.learner.step_errors import blame_steps
from gpt2.open_engine import open_engine
from solutions import encore_beam_search as encore


class Writer:
    """An opened model with one random generator.

    Args:
        checkpoint: the model.
        mine: run the learner's model with the checkpoint's weights, with the learner's
            loop and encores. Solutions replace what is not finished.
        strict: with ``mine``: no solution replaces anything.
        steps_dir: the folder with the learner's files; None is ``steps/``.
        compiled: with ``mine``: compile the learner's model, which takes minutes.
        cache: keep keys and values between tokens.
        device: "cpu" or "gpu".
        seed: None takes a new seed.
        draft: guesses tokens for ``write``; None guesses nothing.
        note: gets a sentence before a long wait, and which steps are the learner's.

    Raises:
        LearnerError: the learner's model does not run.

    Attributes:
        engine: the model.
        score: the score of the last beam search's text; None before the first.
        speculation: writes texts with the draft; None without a draft.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        mine: bool,
        strict: bool = False,
        steps_dir: Path | None = None,
        compiled: bool = False,
        cache: bool,
        device: str,
        seed: int | None,
        draft: Draft | None = None,
        note: Callable[[str], None],
    ) -> None:
        self.tokenizer = checkpoint.tokenizer
        self.seed = secrets.randbelow(1_000_000) if seed is None else seed
        self.score: float | None = None
        self._blame = blame_steps if mine else nullcontext
        borrowed = borrow(steps_dir, strict=strict, note=note) if mine else None
        if borrowed:
            note(borrowed.sentence())
        self._own = OwnDecoding(borrowed, note) if borrowed else None
        opened = partial(
            open_engine, mine=borrowed, compiled=compiled, cache=cache, device=device
        )
        self.engine = opened(checkpoint, on_compile=note)
        self._rng = np.random.default_rng(self.seed)
        self._draft, self.speculation = draft, None
        if draft:
            small = None
            if draft.model:
                small = opened(
                    draft.model, on_compile=lambda s: note(f"the draft: {s}")
                )
            size, modules = checkpoint.config.vocab_size, self._own_speculative()
            self.speculation = Speculation(
                self.engine, small, size, draft.tokens, *modules
            )

    def _own_speculative(self) -> tuple[Any, ...]:
        """Returns a learner's encores; none without one, for those of the solutions."""
        return self._own.speculative() if self._own else ()

    def steps(
        self, ids: Sequence[int], count: int, strategy: Strategy
    ) -> Iterator[Step]:
        """Continues ``ids`` by up to ``count`` tokens; every call draws anew."""
        return _alone(self._generate(ids, count, strategy, self._rng.spawn(1)))

    def samples(
        self,
        ids: Sequence[int],
        count: int,
        strategy: Strategy,
        number: int,
        *,
        look: bool = False,
    ) -> Iterator[tuple[int, Step]]:
        """Continues ``ids`` several times in one batch; yields (sample, step).

        Every sample has its own generator, made from the seed. So a sample's text
        does not depend on the number of samples (except for rounding in the model).
        """
        rngs = np.random.default_rng(self.seed).spawn(number)
        return self._generate(ids, count, strategy, rngs, look=look)

    def _generate(
        self,
        ids: Sequence[int],
        count: int,
        strategy: Strategy,
        rngs: Sequence[np.random.Generator],
        *,
        look: bool = False,
    ) -> Iterator[tuple[int, Step]]:
        """Runs ``generate_batch``; an error in a learner's code names the file."""
        with self._blame():
            yield from generate_batch(
                self.engine,
                ids,
                strategy,
                rngs,
                max_new_tokens=count,
                end_ids=self.tokenizer.end_ids,
                chooser=self._chooser(strategy, look),
            )

    def _chooser(self, strategy: Strategy, look: bool) -> Chooser:
        """Returns what chooses each token; with ``look`` it reports probabilities."""
        return self._own.chooser(strategy, look=look) if self._own else choose

    def _speculate(
        self,
        speculation: Speculation,
        ids: Sequence[int],
        count: int,
        strategy: Strategy,
        *,
        look: bool,
    ) -> Iterator[Step]:
        """Continues ``ids`` with a draft; a learner's error names the file."""
        with self._blame("encore_speculative"):
            yield from speculation.steps(
                ids,
                strategy,
                np.random.default_rng(self.seed).spawn(1)[0],
                max_new_tokens=count,
                end_ids=self.tokenizer.end_ids,
                look=look,
            )

    def search(
        self, ids: Sequence[int], count: int, beams: Beams, *, look: bool = False
    ) -> Iterator[Step]:
        """Searches with beams, then yields the steps of the best text.

        With ``look`` the model reads that text again, for each token's probability.
        """
        if count == 0:
            return
        with self._blame():
            beam_search = (self._own or encore).beam_search
            found, self.score = beam_search(
                Continuations(self.engine, self.tokenizer.end_ids),
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
        """Continues ``ids`` by sampling or beam search; the seed decides all draws.

        With ``look``, steps have probabilities.
        """
        if isinstance(strategy, Beams):
            return self.search(ids, count, strategy, look=look)
        if self.speculation:
            return self._speculate(self.speculation, ids, count, strategy, look=look)
        return _alone(self.samples(ids, count, strategy, 1, look=look))

    def description(self, strategy: Strategy | Beams) -> dict[str, Any]:
        """Returns the settings that repeat a run."""
        drawn = isinstance(strategy, Strategy) and not strategy.greedy
        seed = {"seed": self.seed} if drawn else {}
        draft = self._draft
        guessed = {"draft": draft.name, "draft_tokens": draft.tokens} if draft else {}
        return strategy.describe() | seed | guessed


def _alone(steps: Iterable[tuple[int, Step]]) -> Iterator[Step]:
    """Yields the steps of a batch with one row."""
    return (step for _, step in steps)
