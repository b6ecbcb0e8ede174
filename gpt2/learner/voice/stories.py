"""The held-out stories that the voice begins, with what a finished model makes of them.

``finished.json`` is recorded: ``python -m book.voices`` computes it in NumPy.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from gpt2.checkpoint.loading import EMBEDDED, Checkpoint
from gpt2.checkpoint.tokenizer_files import END_OF_TEXT

FILE = EMBEDDED["tiny-stories"] / "held-out.txt"
FINISHED = Path(__file__).with_name("finished.json")
NEW_TOKENS = 32


@dataclass(frozen=True)
class Story:
    """A story that no model was trained on.

    Attributes:
        prompt: its first sentence.
        prompt_ids: the prompt's ids, as ``gpt2`` encodes a prompt.
        ids: the whole story's ids between two ends of text, cut where the model's
            places end.
    """

    prompt: str
    prompt_ids: list[int]
    ids: list[int]

    def loss(self, logits: np.ndarray) -> float:
        """The mean of -log p of every token, by logits ``[T, V]`` of ``ids[:-1]``."""
        logits = logits.astype(float)
        logits -= logits.max(axis=-1, keepdims=True)  # so that exp never overflows
        total = np.log(np.exp(logits).sum(axis=-1))
        return float((total - logits[np.arange(len(total)), self.ids[1:]]).mean())


@dataclass(frozen=True)
class Finished:
    """What a finished model makes of a story.

    Attributes:
        loss: its loss on the story, in nats per token.
        ids: the tokens that greedy search writes after the prompt.
    """

    loss: float
    ids: list[int]

    def agrees(self, ids: Sequence[int]) -> bool:
        """Says whether the finished model writes these ids, as far as they go."""
        return self.ids[: len(ids)] == list(ids)


@cache
def texts() -> list[str]:
    """The held-out stories."""
    return [text.strip() for text in FILE.read_text("utf-8").split(END_OF_TEXT)]


def read_story(number: int, checkpoint: Checkpoint) -> Story:
    """Returns a held-out story. Every exercise has the story of its number."""
    text = texts()[number]
    prompt = text[: text.index(".") + 1]
    encode, longest = checkpoint.tokenizer.encode, checkpoint.config.n_positions + 1
    ids = encode(f"{END_OF_TEXT}{text}{END_OF_TEXT}")[:longest]
    return Story(prompt, encode(prompt), ids)


@cache
def read_finished(number: int) -> Finished:
    """Returns what was recorded of a finished model."""
    recorded = json.loads(FINISHED.read_text(encoding="utf-8"))
    return Finished(**recorded[str(number)])
