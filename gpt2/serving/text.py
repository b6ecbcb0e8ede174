"""The texts of a request: the job, its texts, and pieces of new text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Literal

import numpy as np

from gpt2.checkpoint.tokenizer import StreamingDecoder, Tokenizer
from gpt2.decoding.generation import Step, Strategy, choose
from gpt2.decoding.matching import Constraint, Matching, Place

Finish = Literal["stop", "length"]


@dataclass(frozen=True)
class Job:
    """The texts that a client asks for: each prompt continued ``samples`` times.

    Attributes:
        prompts: token ids; each prompt and ``max_tokens`` fit the model's context.
        stop: a text ends before the first of these strings.
        look: also report each token's probability and the likeliest tokens.
        constraint: the texts have to match its pattern; None allows any text.
    """

    prompts: Sequence[Sequence[int]]
    strategy: Strategy
    seed: int
    max_tokens: int
    samples: int = 1
    stop: Sequence[str] = ()
    look: bool = False
    constraint: Constraint | None = None

    @property
    def rows(self) -> int:
        """The number of texts."""
        return len(self.prompts) * self.samples


@dataclass
class Piece:
    """The new part of one text since the last piece.

    Attributes:
        index: the text's number in the job; samples of a prompt follow each other.
        tokens: the number of new tokens.
        steps: each step with the text that it completes; empty unless ``job.look``.
        finish: the reason why the text ends here, "stop" or "length"; else None.
    """

    index: int
    text: str = ""
    tokens: int = 0
    steps: list[tuple[Step, str]] = field(default_factory=list)
    finish: Finish | None = None


def merge(pieces: Sequence[Piece]) -> list[Piece]:
    """Joins pieces, so that each text has one."""
    ordered = sorted(pieces, key=attrgetter("index"))
    return [_join(list(own)) for _, own in groupby(ordered, key=attrgetter("index"))]


def _join(pieces: list[Piece]) -> Piece:
    return Piece(
        pieces[0].index,
        "".join(piece.text for piece in pieces),
        sum(piece.tokens for piece in pieces),
        [step for piece in pieces for step in piece.steps],
        pieces[-1].finish,
    )


class Text:
    """A text being written.

    Args:
        job: the text's job.
        index: the text's number in the job.
        prompt: token ids.
        rng: the text's own random generator.
        tokenizer: turns tokens into text.

    Attributes:
        ids: the prompt and all new tokens.
        finished: whether the text has ended.
    """

    def __init__(
        self,
        job: Job,
        index: int,
        prompt: Sequence[int],
        rng: np.random.Generator,
        tokenizer: Tokenizer,
    ) -> None:
        self.job, self.index, self.ids = job, index, list(prompt)
        self.finished = False
        self._full = len(prompt) + job.max_tokens
        self._rng, self._ends = rng, tokenizer.end_ids
        self._place = place_of(job.constraint, tokenizer)
        self._decoder, self._stops = StreamingDecoder(tokenizer), Stops(job.stop)

    def take(self, logits: np.ndarray) -> Piece:
        """Chooses the next token from the logits ``[V]``; returns the new piece."""
        job = self.job
        kept = self._place.constrain(logits) if self._place else logits
        step = choose(kept, self.ids, job.strategy, self._rng, look=job.look)
        self.ids.append(step.id)
        if self._place:
            self._place.advance(step.id)
        ended, full = step.id in self._ends, len(self.ids) == self._full
        text = self._decoder.feed(step.id)
        if ended or full:
            text += self._decoder.finish()
        piece = Piece(self.index, self._stops.feed(text), 1)
        piece.steps += [(step, text)] if job.look else []
        if ended or full or self._stops.found:
            self.finished = True
            piece.text += self._stops.rest()
            piece.finish = "stop" if ended or self._stops.found else "length"
        return piece


def place_of(constraint: Constraint | None, tokenizer: Tokenizer) -> Place | None:
    """Returns the beginning of a pattern, if there is one."""
    if constraint is None:
        return None
    return Place(Matching(constraint, tokenizer.token_bytes))


class Stops:
    """Cuts a text before the first of some stop strings.

    An ending that may be the start of a stop string is held back until this is clear.

    Attributes:
        found: whether a stop string was found; no text is returned after it.
    """

    def __init__(self, strings: Sequence[str]) -> None:
        self.found = False
        self._strings, self._held = strings, ""

    def feed(self, text: str) -> str:
        """Adds text; returns the text that no stop string can cut any more."""
        if self.found or not self._strings:
            return "" if self.found else text
        self._held += text
        places = [self._held.find(string) for string in self._strings]
        self.found = any(place >= 0 for place in places)
        if self.found:
            end = min(place for place in places if place >= 0)
        else:
            end = len(self._held) - self._beginning()
        certain, self._held = self._held[:end], self._held[end:]
        return certain

    def rest(self) -> str:
        """Returns the text held back; empty if a stop string was found."""
        return "" if self.found else self._held

    def _beginning(self) -> int:
        """Returns how many characters at the end may start a stop string."""
        return max(
            size
            for string in self._strings
            for size in range(len(string))
            if self._held.endswith(string[:size])
        )


def texts(job: Job, tokenizer: Tokenizer) -> Iterator[Text]:
    """Yields the texts of a job; ``gpt2 --seed`` gives the same for that seed."""
    for number, prompt in enumerate(job.prompts):
        for sample, rng in enumerate(
            np.random.default_rng(job.seed).spawn(job.samples)
        ):
            yield Text(job, number * job.samples + sample, prompt, rng, tokenizer)
