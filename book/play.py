"""The embedded model in NumPy, for the experiments of the book's examples and figures.

Nothing here needs MAX, so an experiment is fast. The tokenizer is that of the command
``gpt2``. ``weights`` maps a checkpoint's names, without the prefix ``transformer.``, to
arrays. ``sizes`` replaces fields of the configuration, such as ``n_head=2``.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from unittest.mock import patch

import numpy as np

from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.checkpoint.tokenizer import marked as marked
from tests.oracle import model as oracle

Weights = Mapping[str, np.ndarray]

# with instead("gelu", np.tanh): … replaces a function of the model.
instead = partial(patch.object, oracle)


@cache
def checkpoint() -> Checkpoint:
    """The embedded model's sizes, weights and tokenizer."""
    return load_checkpoint("tiny-stories")


def copy_weights() -> dict[str, np.ndarray]:
    """Copies of the embedded model's weights, by name. Callers may change them."""
    return {name: x.copy() for name, x in short_names(checkpoint().weights).items()}


def short_names(weights: Weights) -> Weights:
    """A checkpoint's weights without the prefix of their names."""
    return {name.removeprefix("transformer."): x for name, x in weights.items()}


@cache
def trained() -> Weights:
    """The embedded model's weights, by name. Callers must not change them."""
    return copy_weights()


def encode(text: str) -> list[int]:
    """A text's token ids."""
    return checkpoint().tokenizer.encode(text)


def tokens(text: str) -> list[str]:
    """The text of each token in a text."""
    return [checkpoint().tokenizer.token(i) for i in encode(text)]


def logits(
    ids: list[int], weights: Weights | None = None, **sizes: float
) -> np.ndarray:
    """The logits ``[T, V]`` of ids ``[T]``, with the trained weights or others."""
    config = replace(checkpoint().config, **sizes)  # type: ignore[arg-type]
    state = weights or trained()
    return oracle.logits(
        np.array([ids]), state, config.n_layer, config.n_head, config.layer_norm_epsilon
    )[0]


def surprise(scores: np.ndarray, ids: list[int]) -> np.ndarray:
    """-log p of ids ``[T]``, in nats, by the logits ``[T, V]`` for their places."""
    scores = scores - scores.max(axis=-1, keepdims=True)  # so that exp overflows never
    total = np.log(np.exp(scores).sum(axis=-1))
    return total - scores[np.arange(len(ids)), ids]


def loss(text: str, weights: Weights | None = None, **sizes: float) -> float:
    """The loss on one text: the mean of -log p of each next token, in nats.

    The first token is given. ``book.held_out`` has the loss on many stories.
    """
    ids = encode(text)
    return float(surprise(logits(ids[:-1], weights, **sizes), ids[1:]).mean())


def next_tokens(
    text: str, weights: Weights | None = None, count: int = 5
) -> list[tuple[str, float]]:
    """The likeliest tokens after a text, each with its probability."""
    shares = oracle.softmax(logits(encode(text), weights)[-1])
    best = np.argsort(-shares, kind="stable")[:count]
    return [(checkpoint().tokenizer.token(int(i)), float(shares[i])) for i in best]


def write(
    text: str, weights: Weights | None = None, count: int = 20, **sizes: float
) -> str:
    """The text and its greedy continuation by ``count`` tokens."""
    ids = greedy(text, weights, count, to_end=False, **sizes)
    return checkpoint().tokenizer.decode(ids)


def greedy(
    text: str,
    weights: Weights | None = None,
    count: int = 20,
    *,
    to_end: bool,
    **sizes: float,
) -> list[int]:
    """The ids of a text and of its greedy continuation by ``count`` tokens.

    With ``to_end`` the ids end at the latest with the end-of-text token.
    """
    ids = encode(text)
    for _ in range(count):
        ids.append(int(logits(ids, weights, **sizes)[-1].argmax()))
        if to_end and ids[-1] == checkpoint().tokenizer.end_of_text_id:
            break
    return ids
