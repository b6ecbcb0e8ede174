"""The intermediate results of the embedded model for one text.

Shapes: T tokens, C channels, H heads, D head size.
"""

from dataclasses import dataclass

import numpy as np

from book import play
from tests.oracle import model as oracle

SENTENCE = "Tom has a dog. The dog likes Tom."
STORY = (
    "One day, Tom went to the park with his mom. He saw a big dog near the tree. "
    "The dog had a red ball. Tom wanted to play with the dog, but he was scared. "
    'His mom said, "It is a nice dog. You can play with it." Tom threw the ball, and '
    "the dog ran to get it. Tom and the dog became good friends."
)


@dataclass(frozen=True)
class Layer:
    """The intermediate results of one block."""

    stream: np.ndarray  # [T, C], the block's input
    normed: np.ndarray  # [T, C], the input of attention
    query: np.ndarray  # [H, T, D]
    key: np.ndarray  # [H, T, D]
    value: np.ndarray  # [H, T, D]
    shares: np.ndarray  # [H, T, T], each row sums to 1
    attended: np.ndarray  # [T, C], attention's result
    fed: np.ndarray  # [T, C], the feed-forward network's result


def look_inside(text: str, weights: play.Weights | None = None) -> list[Layer]:
    """Runs every block on a text; returns the intermediate results."""
    state, ids = weights or play.trained(), play.encode(text)
    x = state["wte.weight"][ids].astype(np.float64) + state["wpe.weight"][: len(ids)]
    layers = []
    for number in range(play.checkpoint().config.n_layer):
        layers.append(run_block(x, state, f"h.{number}."))
        x = x + layers[-1].attended + layers[-1].fed
    return layers


def run_block(x: np.ndarray, state: play.Weights, prefix: str) -> Layer:
    """Runs one block on ``[T, C]``."""
    normed = norm(x, state, f"{prefix}ln_1")
    parts = oracle.qkv(normed, state, f"{prefix}attn.c_attn")
    query, key, value = (split(part) for part in parts)
    shares = attention_shares(query, key)
    joined = np.concatenate(list(shares @ value), axis=-1)
    attended = oracle.linear(joined, state, f"{prefix}attn.c_proj")
    fed = oracle.mlp(norm(x + attended, state, f"{prefix}ln_2"), state, f"{prefix}mlp.")
    return Layer(x, normed, query, key, value, shares, attended, fed)


def norm(x: np.ndarray, state: play.Weights, name: str) -> np.ndarray:
    """Layer normalization of ``[T, C]`` with the parameters called ``name``."""
    eps = play.checkpoint().config.layer_norm_epsilon
    return oracle.layer_norm(x, state[f"{name}.weight"], state[f"{name}.bias"], eps)


def plain_norm(x: np.ndarray) -> np.ndarray:
    """Layer normalization without weight and bias."""
    return oracle.layer_norm(x, np.array(1.0), np.array(0.0))


def split(x: np.ndarray) -> np.ndarray:
    """Splits ``[T, C]`` into heads ``[H, T, D]``."""
    return np.stack(np.split(x, play.checkpoint().config.n_head, axis=-1))


def attention_shares(query: np.ndarray, key: np.ndarray) -> np.ndarray:
    """The shares ``[..., T, T]`` of queries and keys ``[..., T, D]``; rows sum to 1."""
    length, size = query.shape[-2:]
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(size)
    return oracle.softmax(scores + oracle.causal_mask(length))


def streams(text: str, weights: play.Weights | None = None) -> list[np.ndarray]:
    """The residual stream ``[T, C]`` before the first block and after each block."""
    layers = look_inside(text, weights)
    last = layers[-1]
    return [layer.stream for layer in layers] + [last.stream + last.attended + last.fed]
