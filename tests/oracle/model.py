"""GPT-2 in plain float64 NumPy, written from the equations. Checkers compare with it.

Nothing here imports MAX or the solutions. ``state`` maps a checkpoint's parameter
names to arrays; linear weights are ``[out, in]``, as MAX's ``Linear`` holds them.
Shapes: B batch, T tokens, C channels, H heads, D head size, V vocabulary.
"""

from collections.abc import Mapping
from math import inf, pi, sqrt

import numpy as np

from tests.oracle.notes import Aside, note, taking

State = Mapping[str, np.ndarray]

FLOAT: type = np.float64  # the book's experiments on many texts replace it by float32


def as_float(x: np.ndarray) -> np.ndarray:
    """The same numbers as ``FLOAT``."""
    return np.asarray(x, FLOAT)


def causal_mask(length: int, earlier: int = 0) -> np.ndarray:
    """A mask ``[T, T + earlier]``: 0 where column <= row + earlier, else -inf."""
    row, column = np.ogrid[:length, : length + earlier]
    return np.where(column <= row + earlier, FLOAT(0), FLOAT(-inf))


def softmax(x: np.ndarray) -> np.ndarray:
    """Softmax along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def gelu(x: np.ndarray) -> np.ndarray:
    """GELU in the tanh approximation of Hendrycks and Gimpel 2016, section 2."""
    x = as_float(x)
    cube = x * x * x  # x**3 takes many times as long
    return 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * cube)))


def layer_norm(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float = 1e-5
) -> np.ndarray:
    """Layer normalization over C, eps under the root (Ba et al. 2016, section 3)."""
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + eps) * weight + bias


def linear(x: np.ndarray, state: State, name: str) -> np.ndarray:
    """A linear layer: ``[..., in]`` to ``[..., out]``."""
    product = x @ as_float(state[f"{name}.weight"]).T
    return note(
        f"`{name}`'s result", product + note(f"`{name}.bias`", state[f"{name}.bias"])
    )


def attention(query: np.ndarray, key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Causal attention on ``[..., T, D]`` each (Vaswani et al. 2017, equation 1)."""
    scores = as_float(query) @ as_float(key).swapaxes(-2, -1)
    scores = scores / sqrt(query.shape[-1])
    mask = causal_mask(query.shape[-2])
    if taking():
        note_attention(query, key, value, scores, mask)
    return softmax(scores + mask) @ value


def note_attention(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    scores: np.ndarray,
    mask: np.ndarray,
) -> None:
    """Notes the quantities of one attention."""
    note("`query`", query)
    note("`key`", key)
    note("`value`", value)
    note("√D", sqrt(query.shape[-1]))
    note("D", float(query.shape[-1]))
    note("the scores", scores)
    note("the masked scores", scores + mask)
    note("the shares", softmax(scores + mask))
    note(Aside("the shares without the mask"), softmax(scores))


def qkv(x: np.ndarray, state: State, name: str = "c_attn") -> list[np.ndarray]:
    """Query, key and value ``[..., C]`` of ``[..., C]``."""
    parts = np.split(linear(note("`x`", x), state, name), 3, axis=-1)
    for part, array in zip(("query", "key", "value"), parts, strict=True):
        note(f"the {part}", array)
    return parts


def multi_head_attention(
    x: np.ndarray, state: State, n_head: int, prefix: str = ""
) -> np.ndarray:
    """Attention on ``[B, T, C]``: head h has channels h·D to (h + 1)·D."""
    parts = qkv(x, state, f"{prefix}c_attn")
    query, key, value = (np.split(part, n_head, axis=-1) for part in parts)
    heads = [attention(*of_one) for of_one in zip(query, key, value, strict=True)]
    if taking() and x.ndim == 3:
        note_heads(query, key, value)
    joined = note("the heads' results side by side", np.concatenate(heads, axis=-1))
    note("`x`", x)
    return linear(joined, state, f"{prefix}c_proj")


def note_heads(*parts: list[np.ndarray]) -> None:
    """Notes the quantities of all heads: the parts of query, key and value."""
    query, key, value = (np.stack(part, axis=1) for part in parts)
    heads = attention(query, key, value)
    note("the heads' results", heads)


def mlp(x: np.ndarray, state: State, prefix: str = "") -> np.ndarray:
    """The feed-forward network on ``[..., C]``."""
    hidden = gelu(linear(note("`x`", x), state, f"{prefix}c_fc"))
    note("the width", float(hidden.shape[-1]))
    return linear(note("GELU's result", hidden), state, f"{prefix}c_proj")


def block(
    x: np.ndarray, state: State, n_head: int, eps: float, prefix: str = ""
) -> np.ndarray:
    """A block on ``[B, T, C]``, with normalization before each sublayer."""

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        name = f"{prefix}{name}"
        normalized = layer_norm(x, state[f"{name}.weight"], state[f"{name}.bias"], eps)
        return note(f"`{name}`'s result", normalized)

    start = x
    attended = multi_head_attention(norm(x, "ln_1"), state, n_head, f"{prefix}attn.")
    x = note("`x` after attention", x + attended)
    x = x + note(
        f"`{prefix}mlp`'s result", mlp(norm(x, "ln_2"), state, f"{prefix}mlp.")
    )
    note(f"`{prefix}attn`'s result", attended)
    note("`x`", start)
    return x


def hidden_states(
    ids: np.ndarray, state: State, n_layer: int, n_head: int, eps: float = 1e-5
) -> np.ndarray:
    """The hidden states ``[B, T, C]`` of ids ``[B, T]``, finally normalized."""
    tokens = as_float(state["wte.weight"][note("the id", ids)])
    places = state["wpe.weight"][: ids.shape[-1]]
    x = start = tokens + places
    for layer in range(n_layer):
        x = block(x, state, n_head, eps, f"h.{layer}.")
        note(f"the result of `h.{layer}`", x)
    note("the token embeddings", tokens)
    note("the position embeddings", places)
    note("token plus position embeddings", start)
    note("the last block's result, before `ln_f`", x)
    return layer_norm(
        x, state["ln_f.weight"], note("`ln_f.bias`", state["ln_f.bias"]), eps
    )


def logits(
    ids: np.ndarray, state: State, n_layer: int, n_head: int, eps: float = 1e-5
) -> np.ndarray:
    """Logits ``[B, T, V]`` of ids ``[B, T]``; names begin with ``transformer.``."""
    inner = {name.removeprefix("transformer."): w for name, w in state.items()}
    hidden = note("the hidden states", hidden_states(ids, inner, n_layer, n_head, eps))
    return hidden @ as_float(inner["wte.weight"]).T


def parameter_shapes(
    vocab: int, positions: int, channels: int, layers: int, inner: int
) -> dict[str, tuple[int, ...]]:
    """The names and shapes of ``GPT2Model``'s parameters."""
    shapes: dict[str, tuple[int, ...]] = {
        "wte.weight": (vocab, channels),
        "wpe.weight": (positions, channels),
    }
    for layer in range(layers):
        shapes |= block_shapes(channels, inner, f"h.{layer}.")
    return shapes | norm_shapes("ln_f.", channels)


def block_shapes(
    channels: int, inner: int, prefix: str = ""
) -> dict[str, tuple[int, ...]]:
    """The names and shapes of one block's parameters."""
    shapes = norm_shapes(f"{prefix}ln_1.", channels)
    shapes |= attention_shapes(channels, f"{prefix}attn.")
    shapes |= norm_shapes(f"{prefix}ln_2.", channels)
    shapes |= linear_shapes(f"{prefix}mlp.c_fc.", inner, channels)
    return shapes | linear_shapes(f"{prefix}mlp.c_proj.", channels, inner)


def attention_shapes(channels: int, prefix: str = "") -> dict[str, tuple[int, ...]]:
    """The names and shapes of multi-head attention's parameters."""
    shapes = linear_shapes(f"{prefix}c_attn.", 3 * channels, channels)
    return shapes | linear_shapes(f"{prefix}c_proj.", channels, channels)


def linear_shapes(prefix: str, outputs: int, inputs: int) -> dict[str, tuple[int, ...]]:
    """A linear layer's two parameters."""
    return {f"{prefix}weight": (outputs, inputs), f"{prefix}bias": (outputs,)}


def norm_shapes(prefix: str, channels: int) -> dict[str, tuple[int, ...]]:
    """A layer normalization's two parameters."""
    return {f"{prefix}weight": (channels,), f"{prefix}bias": (channels,)}


def random_state(
    shapes: Mapping[str, tuple[int, ...]], seed: int = 0, scale: float = 0.5
) -> dict[str, np.ndarray]:
    """Random float32 values for every name, without 0 and 1: each value matters."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0, scale, shape).astype(np.float32)
        for name, shape in shapes.items()
    }


def binomial_range(draws: int, share: float, tail: float = 1e-11) -> tuple[int, int]:
    """The range of counts that ``draws`` draws with probability ``share`` usually give.

    Counts below the range have at most the probability ``tail``, and so have counts
    above it. The binomial sums are exact.
    """
    count = np.arange(draws + 1)
    factorial = np.cumsum(np.log(np.maximum(count, 1)))
    log_p = factorial[-1] - factorial - factorial[::-1]
    log_p += count * np.log(share) + (draws - count) * np.log1p(-share)
    p = np.exp(log_p)
    low = int((np.cumsum(p) <= tail).sum())
    return low, draws - int((np.cumsum(p[::-1]) <= tail).sum())


def plausible(counts: np.ndarray, p: np.ndarray) -> bool:
    """True if draws with probabilities ``p`` can give these counts.

    The result is wrong for fewer than one in 10**10 runs of a right implementation.
    """
    p = np.clip(p, 1e-12, 1 - 1e-12)
    ranges = [binomial_range(counts.sum(), share) for share in p]
    return all(low <= n <= high for n, (low, high) in zip(counts, ranges, strict=True))
