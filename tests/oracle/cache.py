"""The right contents and results of a KV cache, in float64 NumPy.

Shapes: B batch, T new tokens, P earlier tokens, C channels, H heads, D head size.
"""

import numpy as np

from tests.oracle import model as oracle
from tests.oracle.model import State


def attention(query: np.ndarray, key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Attention of query ``[..., T, D]`` over key and value ``[..., P + T, D]``."""
    length, whole = query.shape[-2], key.shape[-2]
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    return oracle.softmax(scores + oracle.causal_mask(length, whole - length)) @ value


def memory(
    x: np.ndarray, state: State, n_head: int, prefix: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Attention's keys and values ``[B, H, T, D]`` for its input ``[B, T, C]``."""
    _, key, value = oracle.qkv(x, state, f"{prefix}c_attn")
    return split_heads(key, n_head), split_heads(value, n_head)


def split_heads(x: np.ndarray, n_head: int) -> np.ndarray:
    """Splits ``[B, T, C]`` to ``[B, H, T, D]``: head h has channels h·D to (h+1)·D."""
    return np.stack(np.split(x, n_head, axis=-1), axis=1)


def cache(
    ids: np.ndarray, state: State, n_layer: int, n_head: int, eps: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The keys and values ``[B, H, T, D]`` of every layer for ids ``[B, T]``."""
    inner = {name.removeprefix("transformer."): w for name, w in state.items()}
    x = inner["wte.weight"][ids].astype(np.float64)
    x = x + inner["wpe.weight"][: ids.shape[-1]]
    found = []
    for layer in range(n_layer):
        prefix = f"h.{layer}."
        weight, bias = (inner[f"{prefix}ln_1.{part}"] for part in ("weight", "bias"))
        normalized = oracle.layer_norm(x, weight, bias, eps)
        found.append(memory(normalized, inner, n_head, f"{prefix}attn."))
        x = oracle.block(x, inner, n_head, eps, prefix)
    return found
