"""Llama in plain float64 NumPy, written from the equations. A checker compares with it.

``state`` maps the names of Hugging Face's checkpoints to arrays; weights are
``[out, in]``. Shapes: B batch, T tokens, C channels, H heads, D head size, G heads with
a key and a value, V vocabulary.
"""

from dataclasses import dataclass

import numpy as np

from tests.oracle import model as oracle
from tests.oracle.model import State, as_float
from tests.oracle.notes import Aside, note, taking


@dataclass(frozen=True)
class Sizes:
    """What the arrays of a checkpoint do not tell.

    Attributes:
        layers: the number of blocks.
        heads: H.
        kv_heads: G.
        theta: the base of the rotations' frequencies.
        eps: the epsilon of every normalization.
    """

    layers: int
    heads: int
    kv_heads: int
    theta: float
    eps: float


def rms_norm(x: np.ndarray, weight: np.ndarray, eps: float) -> np.ndarray:
    """RMS normalization over C (Zhang and Sennrich 2019, equation 4)."""
    mean_square = (x**2).mean(axis=-1, keepdims=True)
    note("the mean square", mean_square)
    normalized = note("`x` without the weight", x / np.sqrt(mean_square + eps))
    note("`weight`", weight)
    centered = x - x.mean(axis=-1, keepdims=True)
    note(
        Aside("layer normalization's result"),
        centered / np.sqrt(x.var(axis=-1, keepdims=True) + eps) * weight,
    )
    return normalized * weight


def angles(length: int, head_size: int, theta: float) -> np.ndarray:
    """The angle of each position and pair, ``[T, D/2]`` (Su et al. 2021, eq. 15)."""
    pair = np.arange(head_size // 2)
    frequency = note("the angles of position 1", theta ** (-2.0 * pair / head_size))
    return note("the angles", np.outer(np.arange(length), frequency))


def rotated(x: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Turns ``[..., T, D]`` by angles ``[T, D/2]``: channels i and i + D/2 are a pair.

    A pair is a complex number here, and turning it is a product.
    """
    half = x.shape[-1] // 2
    turned = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * angle)
    return np.concatenate([turned.real, turned.imag], axis=-1)


def attention(
    x: np.ndarray, state: State, sizes: Sizes, prefix: str = ""
) -> np.ndarray:
    """Attention on ``[B, T, C]``: query head h has key and value h · G // H."""
    size = x.shape[-1] // sizes.heads
    angle = angles(x.shape[-2], size, sizes.theta)
    query, key, value = (
        split(product(x, state, f"{prefix}{name}_proj"), size) for name in "qkv"
    )
    note("the value", value)
    query, key = rotated(query, angle), rotated(key, angle)
    owner = np.arange(sizes.heads) * sizes.kv_heads // sizes.heads
    key, value = key[..., owner, :, :], value[..., owner, :, :]
    heads = oracle.attention(query, key, value)
    joined = np.concatenate(list(np.moveaxis(heads, -3, 0)), axis=-1)
    note("the heads' results side by side", joined)
    note("`x`", x)
    return product(joined, state, f"{prefix}o_proj")


def split(x: np.ndarray, size: int) -> np.ndarray:
    """Splits ``[..., T, n D]`` to ``[..., n, T, D]``."""
    return np.stack(np.split(x, x.shape[-1] // size, axis=-1), axis=-3)


def product(x: np.ndarray, state: State, name: str) -> np.ndarray:
    """A linear layer without a bias: ``[..., in]`` to ``[..., out]``."""
    return note(f"`{name}`'s result", x @ as_float(state[f"{name}.weight"]).T)


def mlp(x: np.ndarray, state: State, prefix: str = "") -> np.ndarray:
    """The feed-forward network on ``[..., C]`` (Shazeer 2020, equation 6)."""
    note("`x`", x)
    gate = product(x, state, f"{prefix}gate_proj")
    up = product(x, state, f"{prefix}up_proj")
    opened = note("SiLU's result", gate / (1 + np.exp(-gate)))
    note("the sigmoid of the gate", 1 / (1 + np.exp(-gate)))
    hidden = note("the gated values", opened * up)
    return product(hidden, state, f"{prefix}down_proj")


def block(x: np.ndarray, state: State, sizes: Sizes, prefix: str = "") -> np.ndarray:
    """A block on ``[B, T, C]``, with normalization before each sublayer."""

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        normalized = rms_norm(x, state[f"{prefix}{name}.weight"], sizes.eps)
        return note(f"`{name}`'s result", normalized)

    start = x
    normalized = norm(x, "input_layernorm")
    attended = attention(normalized, state, sizes, f"{prefix}self_attn.")
    x = x + note("`self_attn`'s result", attended)
    note("`x` after attention", x)
    hidden = mlp(norm(x, "post_attention_layernorm"), state, f"{prefix}mlp.")
    note("`x`", start)
    return x + note("`mlp`'s result", hidden)


def hidden_states(ids: np.ndarray, state: State, sizes: Sizes) -> np.ndarray:
    """The hidden states ``[B, T, C]`` of ids ``[B, T]``, finally normalized."""
    x = embedded = as_float(state["model.embed_tokens.weight"])[note("the id", ids)]
    for layer in range(sizes.layers):
        x = block(x, state, sizes, f"model.layers.{layer}.")
    note("the token embeddings", embedded)
    note("the last block's result, before `norm`", x)
    return rms_norm(x, state["model.norm.weight"], sizes.eps)


def logits(ids: np.ndarray, state: State, sizes: Sizes) -> np.ndarray:
    """Logits ``[B, T, V]`` of ids ``[B, T]``; without an own head, a tied one."""
    hidden = note("the hidden states", hidden_states(ids, state, sizes))
    embedding = state["model.embed_tokens.weight"]
    head = state.get("lm_head.weight", embedding)
    if taking():
        note(Aside("the logits of a tied head"), hidden @ as_float(embedding).T)
    return hidden @ as_float(head).T


def parameter_shapes(
    vocab: int, channels: int, inner: int, sizes: Sizes, *, tied: bool
) -> dict[str, tuple[int, ...]]:
    """The names and shapes of the whole model's parameters."""
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (vocab, channels),
        "model.norm.weight": (channels,),
    }
    for layer in range(sizes.layers):
        shapes |= block_shapes(channels, inner, sizes, f"model.layers.{layer}.")
    return shapes if tied else shapes | {"lm_head.weight": (vocab, channels)}


def block_shapes(
    channels: int, inner: int, sizes: Sizes, prefix: str = ""
) -> dict[str, tuple[int, ...]]:
    """The names and shapes of one block's parameters."""
    norms = ("input_layernorm", "post_attention_layernorm")
    return {
        **{f"{prefix}{name}.weight": (channels,) for name in norms},
        **attention_shapes(channels, sizes, f"{prefix}self_attn."),
        **mlp_shapes(channels, inner, f"{prefix}mlp."),
    }


def attention_shapes(
    channels: int, sizes: Sizes, prefix: str = ""
) -> dict[str, tuple[int, ...]]:
    """The names and shapes of attention's parameters."""
    narrow = channels // sizes.heads * sizes.kv_heads
    outputs = {"q": channels, "k": narrow, "v": narrow, "o": channels}
    return {f"{prefix}{n}_proj.weight": (out, channels) for n, out in outputs.items()}


def mlp_shapes(
    channels: int, inner: int, prefix: str = ""
) -> dict[str, tuple[int, ...]]:
    """The names and shapes of the feed-forward network's parameters."""
    return {
        f"{prefix}gate_proj.weight": (inner, channels),
        f"{prefix}up_proj.weight": (inner, channels),
        f"{prefix}down_proj.weight": (channels, inner),
    }
