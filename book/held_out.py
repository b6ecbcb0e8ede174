"""The embedded model's loss on stories that no model was trained on.

The stories are independent of each other, the tokens of one story are not. So standard
errors are computed over stories. A mean per token is a ratio of two sums over stories:
of the losses and of the tokens (Cochran 1977, *Sampling Techniques*, chapter 6).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from math import exp, log
from unittest.mock import patch

import numpy as np

from book import play
from gpt2.checkpoint.loading import EMBEDDED
from gpt2.checkpoint.tokenizer_files import END_OF_TEXT
from tests.oracle import model as oracle

FILE = EMBEDDED["tiny-stories"] / "held-out.txt"
ERRORS = 2  # a difference of at most so many standard errors is a tie
VISIBLE = 0.005  # nats; a smaller difference is a tie too: it rounds to 0.00
UNCHANGED = dict(vars(oracle))  # the model without the changes of ``play.instead``

Model = Callable[[list[int]], np.ndarray]  # from ids [T] to logits [T, V]


@dataclass(frozen=True, eq=False)
class PerToken:
    """A loss, or a difference of two losses, in nats per token.

    ``f"{loss:.2f}"`` is the mean and its standard error: ``2.78 ± 0.05``.

    Attributes:
        sums: the sum over each story's tokens, ``[stories]``.
        tokens: the number of each story's tokens, ``[stories]``.
    """

    sums: np.ndarray
    tokens: np.ndarray

    @property
    def mean(self) -> float:
        """The mean over all tokens."""
        return float(self.sums.sum() / self.tokens.sum())

    @property
    def error(self) -> float:
        """The standard error of the mean, over stories."""
        count = len(self.sums)
        away = self.sums - self.mean * self.tokens
        return float(np.sqrt(count / (count - 1) * (away @ away)) / self.tokens.sum())

    @property
    def perplexity(self) -> float:
        """e to the power of the mean."""
        return exp(self.mean)

    @property
    def tied(self) -> bool:
        """True if a difference is too small to count."""
        return abs(self.mean) <= max(ERRORS * self.error, VISIBLE)

    def __sub__(self, other: "PerToken") -> "PerToken":
        """The difference, taken story by story: both losses are of the same stories."""
        return PerToken(self.sums - other.sums, self.tokens)

    def __format__(self, spec: str) -> str:
        return f"{self.mean:{spec}} ± {self.error:{spec.lstrip('+')}}"


@cache
def stories() -> list[str]:
    """The held-out stories."""
    return [text.strip() for text in FILE.read_text("utf-8").split(END_OF_TEXT)]


@cache
def token_ids() -> list[list[int]]:
    """Each story's ids between two ends of text, cut where the model's places end.

    The model was trained on stories behind an end of text. So it can predict a story's
    first token, and also the story's end.
    """
    longest = play.checkpoint().config.n_positions + 1  # the last is a target alone
    texts = (f"{END_OF_TEXT}{story}{END_OF_TEXT}" for story in stories())
    return [play.encode(text)[:longest] for text in texts]


def story_loss(model: Model, ids: list[int]) -> float:
    """The sum of a model's losses on the tokens of one story, in nats."""
    return play.surprise(model(ids[:-1]), ids[1:]).sum(dtype=float)


def measure(model: Model) -> PerToken:
    """The loss of a model on the held-out stories."""

    def total(ids: list[int]) -> float:
        return story_loss(model, ids)

    # One story at a time: batches are no faster on a CPU, and a model without a mask
    # would look at their padding. float32 changes no digit that is printed.
    with play.instead("FLOAT", np.float32), ThreadPoolExecutor() as pool:
        sums = list(pool.map(total, token_ids()))
    return PerToken(np.array(sums), np.array([len(ids) - 1 for ids in token_ids()]))


def loss(weights: play.Weights | None = None, **sizes: float) -> PerToken:
    """The loss on the held-out stories, with the trained weights or others."""

    def model(ids: list[int]) -> np.ndarray:
        return play.logits(ids, weights, **sizes)

    return measure(model)


@cache
def trained() -> PerToken:
    """The loss of the embedded model as it was trained, whatever is replaced now."""
    with patch.dict(vars(oracle), UNCHANGED):
        return loss()


def bits_per_byte(loss: PerToken | None = None) -> float:
    """The embedded model's loss in bits per byte; a story's end counts as a byte.

    ``loss`` replaces the trained model's.
    """
    decode, end = play.checkpoint().tokenizer.decode, play.encode(END_OF_TEXT)
    sizes = (len(decode(ids).encode()) + (ids[-1:] == end) for ids in token_ids())
    return float((loss or trained()).sums.sum()) / log(2) / sum(sizes)
