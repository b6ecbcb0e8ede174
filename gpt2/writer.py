"""Continues texts with an opened model. Nothing here prints."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gpt2.checkpoint.drafts import Draft
from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.automata import make_automaton
from gpt2.decoding.beams import Beams, Continuations, replay
from gpt2.decoding.contrast import ContrastingEngine
from gpt2.decoding.generation import (
    Chooser,
    Step,
    Strategy,
    choose,
    generate_batch,
)
from gpt2.decoding.matching import Matching, make_constraint
from gpt2.decoding.settings import ContrastSettings
from gpt2.decoding.speculation import Speculation
from gpt2.engine.precision import Precision
from gpt2.learner.borrowing import borrow
from gpt2.learner.own_decoding import OwnDecoding
from gpt2.learner.own_tokenizer import own_tokenizer
from gpt2.learner.step_errors import blame_steps
from gpt2.open_engine import open_engine
from solutions import encore_beam_search as encore
from solutions import encore_constrained, encore_contrastive


@dataclass(frozen=True)
class Amateur:
    """A weaker model, whose logits are subtracted from the writer's."""

    checkpoint: Checkpoint
    settings: ContrastSettings

    def describe(self) -> dict[str, Any]:
        """Returns the settings that repeat the contrast."""
        return {"amateur": self.checkpoint.name, **asdict(self.settings)}


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
        precision: how the course's engine keeps the matrices. Another one than float32
            takes the weights out of the checkpoints.
        seed: None takes a new seed.
        amateur: a weaker model with the same vocabulary, to choose against.
        draft: guesses tokens for ``write``; None guesses nothing.
        note: gets a sentence before a long wait, and which steps are the learner's.

    Raises:
        LearnerError: the learner's model does not run.

    Attributes:
        engine: the model.
        tokenizer: the checkpoint's; with ``mine``, the learner's if that one passes.
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
        precision: Precision = "float32",
        seed: int | None,
        amateur: Amateur | None = None,
        draft: Draft | None = None,
        note: Callable[[str], None],
    ) -> None:
        self.seed = secrets.randbelow(1_000_000) if seed is None else seed
        self.score: float | None = None
        self._blame = blame_steps if mine else nullcontext
        borrowed = borrow(steps_dir, strict=strict, note=note) if mine else None
        if borrowed:
            note(borrowed.sentence())
        self.tokenizer = checkpoint.tokenizer
        if borrowed:
            self.tokenizer = own_tokenizer(self.tokenizer, borrowed, note)
        self._own = OwnDecoding(borrowed, note) if borrowed else None
        opened = partial(
            open_engine,
            mine=borrowed,
            compiled=compiled,
            cache=cache,
            device=device,
            precision=precision,
        )
        self._vocabulary_size = checkpoint.config.vocab_size
        self.engine = opened(checkpoint, on_compile=note)
        if amateur:
            self.engine = ContrastingEngine(
                self.engine,
                opened(amateur.checkpoint, on_compile=lambda s: note(f"amateur: {s}")),
                amateur.settings,
                (self._own or encore_contrastive).contrastive_logits,
            )
        seconds = [second.describe() for second in (amateur, draft) if second]
        self._seconds = {
            name: value for each in seconds for name, value in each.items()
        }
        self._rng = np.random.default_rng(self.seed)
        self.speculation = None
        if draft:
            small = None
            if draft.model:
                small = opened(draft.model, on_compile=lambda s: note(f"draft: {s}"))
            size, modules = self._vocabulary_size, self._own_speculative()
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
        matching: Matching | None = None,
    ) -> Iterator[tuple[int, Step]]:
        """Continues ``ids`` several times in one batch; yields (sample, step).

        Every sample has its own generator, made from the seed. So a sample's text
        does not depend on the number of samples (except for rounding in the model).
        """
        rngs = np.random.default_rng(self.seed).spawn(number)
        return self._generate(ids, count, strategy, rngs, look=look, matching=matching)

    def _generate(
        self,
        ids: Sequence[int],
        count: int,
        strategy: Strategy,
        rngs: Sequence[np.random.Generator],
        *,
        look: bool = False,
        matching: Matching | None = None,
    ) -> Iterator[tuple[int, Step]]:
        """Runs ``generate_batch``; an error in a learner's code names the file."""
        chooser = self._chooser(strategy, look)
        with self._blame():
            yield from generate_batch(
                self.engine,
                ids,
                strategy,
                rngs,
                max_new_tokens=count,
                end_ids=self.tokenizer.end_ids,
                chooser=matching.chooser(chooser) if matching else chooser,
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

    def match(self, pattern: str) -> Matching:
        """Returns what keeps texts on a pattern, with the learner's encore if passed.

        Raises:
            PatternError: the pattern cannot be used.
        """
        automaton = make_automaton(pattern)
        vocabulary, ends = self.tokenizer.token_bytes, self.tokenizer.end_ids
        with self._blame():
            encore = self._own.constrained if self._own else encore_constrained
            size = self._vocabulary_size
            constraint = make_constraint(automaton, vocabulary, ends, size, encore)
        constraint.check()
        return Matching(constraint, vocabulary, encore)

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
        matching: Matching | None = None,
    ) -> Iterator[Step]:
        """Continues ``ids`` by sampling or beam search; the seed decides all draws.

        With ``look``, steps have probabilities. A beam search and a draft take no
        ``matching``.
        """
        if isinstance(strategy, Beams):
            return self.search(ids, count, strategy, look=look)
        if self.speculation:
            return self._speculate(self.speculation, ids, count, strategy, look=look)
        samples = self.samples(ids, count, strategy, 1, look=look, matching=matching)
        return _alone(samples)

    def description(self, strategy: Strategy | Beams) -> dict[str, Any]:
        """Returns the settings that repeat a run."""
        drawn = isinstance(strategy, Strategy) and not strategy.greedy
        seed = {"seed": self.seed} if drawn else {}
        return strategy.describe() | self._seconds | seed


def _alone(steps: Iterable[tuple[int, Step]]) -> Iterator[Step]:
    """Yields the steps of a batch with one row."""
    return (step for _, step in steps)
