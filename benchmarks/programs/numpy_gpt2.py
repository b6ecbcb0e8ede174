"""GPT-2 in plain NumPy without a cache, in the manner of Jay Mody's picoGPT.

It is a peer in the benchmark. The weights are those of ``MaxGPT2LMHeadModel``, with
linear layers ``[out, in]``. T tokens, C channels, H heads, D head size, V vocabulary.
"""

from collections.abc import Mapping

import numpy as np

Weights = Mapping[str, np.ndarray]


def logits(ids: list[int], weights: Weights, n_layer: int, n_head: int) -> np.ndarray:
    """The logits ``[V]`` after ids ``[T]``."""
    wte = weights["transformer.wte.weight"]
    x = wte[ids] + weights["transformer.wpe.weight"][: len(ids)]  # [T, C]
    for layer in range(n_layer):
        x = block(x, part(weights, f"transformer.h.{layer}."), n_head)
    return layer_norm(x, part(weights, "transformer.ln_f."))[-1] @ wte.T


def block(x: np.ndarray, w: Weights, n_head: int) -> np.ndarray:
    x = x + attention(layer_norm(x, part(w, "ln_1.")), part(w, "attn."), n_head)
    return x + mlp(layer_norm(x, part(w, "ln_2.")), part(w, "mlp."))


def attention(x: np.ndarray, w: Weights, n_head: int) -> np.ndarray:
    qkv = linear(x, part(w, "c_attn.")).reshape(len(x), 3, n_head, -1)
    q, k, v = qkv.transpose(1, 2, 0, 3)  # each [H, T, D]
    future = np.triu(np.full([len(x), len(x)], -np.inf, x.dtype), 1)
    scores = q @ k.swapaxes(1, 2) / np.sqrt(np.float32(q.shape[-1])) + future
    mixed = softmax(scores) @ v  # [H, T, D]
    return linear(mixed.swapaxes(0, 1).reshape(x.shape), part(w, "c_proj."))


def mlp(x: np.ndarray, w: Weights) -> np.ndarray:
    return linear(gelu(linear(x, part(w, "c_fc."))), part(w, "c_proj."))


def linear(x: np.ndarray, w: Weights) -> np.ndarray:
    return x @ w["weight"].T + w["bias"]


def layer_norm(x: np.ndarray, w: Weights) -> np.ndarray:
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * w["weight"] + w["bias"]


def gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(np.float32(0.7978845608) * (x + 0.044715 * x**3)))


def softmax(x: np.ndarray) -> np.ndarray:
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def part(weights: Weights, prefix: str) -> Weights:
    """The weights whose names start with a prefix, under names without the prefix."""
    return {
        name.removeprefix(prefix): array
        for name, array in weights.items()
        if name.startswith(prefix)
    }
