"""Encore: from GPT-2 to Llama, the same model with six parts exchanged.

Shapes: B batch, T tokens, C channels, H heads, D = C / H, G heads with a key and a
value, I inner width, V vocabulary.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Linear, Module, ModuleList
from max.experimental.tensor import Tensor

from solutions.solution_01 import GPT2Config
from solutions.solution_05 import GPT2Embeddings
from solutions.solution_08 import compute_attention
from solutions.solution_10 import pre_norm_residual


@dataclass(frozen=True, kw_only=True)
class LlamaConfig(GPT2Config):
    """The sizes of a Llama: the seven of step 01, and three more.

    ``layer_norm_epsilon`` is the epsilon of RMSNorm.
    """

    n_kv_head: int  # G: heads with a key and a value of their own; H / G share one
    rope_theta: float  # how much slower the last pair of channels turns than the first
    tie_word_embeddings: bool  # whether the head is the token embedding, as in GPT-2


class RMSNorm(Module[[Tensor], Tensor]):
    """Divides each token's channels by their root mean square, then rescales.

    Args:
        dim: C, the number of channels.
        eps: added to the mean square, so that zeros do not divide by zero.

    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", section 4.
    """

    weight: Tensor  # [C], starts at one

    def __init__(self, dim: int, *, eps: float = 1e-6) -> None:
        self.eps = eps
        self.weight = Tensor.ones([dim])

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes the last axis of ``x``: ``[..., C]`` to ``[..., C]``."""
        mean_square = F.mean(x * x, axis=-1)  # [..., 1]
        return x * F.rsqrt(mean_square + self.eps) * self.weight


def rotary_tables(
    n_positions: int, head_size: int, theta: float
) -> tuple[np.ndarray, np.ndarray]:
    """Makes the cosine and the sine of the angle of every position and pair.

    A head's D channels are D / 2 pairs. At position p, pair i is turned by the angle
    p · theta ** (-2i / D), in radians.

    Args:
        n_positions: the number of positions, counted from 0.
        head_size: D, an even number.
        theta: the base of the powers.

    Returns:
        Two float32 arrays ``[n_positions, D / 2]``: the cosines, then the sines.

    Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position
    Embedding", section 3.2.2, equation 15.
    """
    frequencies = theta ** (-np.arange(0, head_size, 2) / head_size)  # [D / 2]
    angles = np.arange(n_positions)[:, None] * frequencies
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns each pair of channels by the angle of its token's position.

    Pair i is made of the channels i and i + D / 2, as in Hugging Face's checkpoints.
    (a, b) becomes (a · cos - b · sin, b · cos + a · sin).

    Args:
        x: ``[..., T, D]``, queries or keys.
        cos: ``[T, D / 2]``, the cosine of each token's and pair's angle.
        sin: ``[T, D / 2]``, the sines.

    Returns:
        ``[..., T, D]``, the turned pairs in their places.

    Source: Su et al. 2021, section 3.4.2, equation 34.
    """
    a, b = F.chunk(x, 2, axis=-1)  # [..., T, D / 2] each
    return F.concat([a * cos - b * sin, b * cos + a * sin], axis=-1)


def repeat_heads(x: Tensor, times: int) -> Tensor:
    """Gives each head of ``x`` to ``times`` query heads that follow each other.

    Args:
        x: ``[B, G, T, D]``, keys or values.
        times: H / G, how many query heads share one of them.

    Returns:
        ``[B, G · times, T, D]``: head 0 ``times`` times, then head 1, and so on.

    Source: Ainslie et al. 2023, "GQA: Training Generalized Multi-Query Transformer
    Models from Multi-Head Checkpoints", section 2.2.
    """
    batch, heads, length, head_size = x.shape
    copies = F.stack([x] * times, axis=2)  # [B, G, times, T, D]
    return copies.reshape([batch, heads * times, length, head_size])


class LlamaAttention(Module[[Tensor, Tensor, Tensor], Tensor]):
    """Step 09 with rotated queries and keys, fewer key and value heads, no biases.

    Args:
        config: the model's sizes; C is H times D.

    Source: Touvron et al. 2023, "Llama 2: Open Foundation and Fine-Tuned Chat
    Models", section 2.2.
    """

    q_proj: Linear  # C -> H D
    k_proj: Linear  # C -> G D
    v_proj: Linear  # C -> G D
    o_proj: Linear  # H D -> C, mixes what the heads found

    def __init__(self, config: LlamaConfig) -> None:
        channels, self.head_size = config.n_embd, config.n_embd // config.n_head
        self.times = config.n_head // config.n_kv_head
        narrow = config.n_kv_head * self.head_size
        self.q_proj = Linear(channels, channels, bias=False)
        self.k_proj = Linear(channels, narrow, bias=False)
        self.v_proj = Linear(channels, narrow, bias=False)
        self.o_proj = Linear(channels, channels, bias=False)

    def split_heads(self, x: Tensor) -> Tensor:
        """Gives each head its D channels: [B, T, n D] -> [B, n, T, D]."""
        batch, length, channels = x.shape
        heads = int(channels) // self.head_size
        return x.reshape([batch, length, heads, self.head_size]).transpose(1, 2)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Lets each token gather from the tokens before it: ``[B, T, C]`` to same.

        ``cos`` and ``sin``, ``[T, D / 2]``, are those of the tokens' positions.
        """
        query = rotate(self.split_heads(self.q_proj(x)), cos, sin)  # [B, H, T, D]
        key = rotate(self.split_heads(self.k_proj(x)), cos, sin)  # [B, G, T, D]
        value = self.split_heads(self.v_proj(x))
        shared = repeat_heads(key, self.times), repeat_heads(value, self.times)
        attended = compute_attention(query, *shared)
        return self.o_proj(attended.transpose(1, 2).reshape(x.shape))


class LlamaMLP(Module[[Tensor], Tensor]):
    """Step 04 with a gate in the place of GELU, called SwiGLU, and no biases.

    Args:
        config: the model's sizes; ``n_inner`` is I.

    Source: Shazeer 2020, "GLU Variants Improve Transformer", section 2, equation 6.
    """

    gate_proj: Linear  # C -> I
    up_proj: Linear  # C -> I
    down_proj: Linear  # I -> C

    def __init__(self, config: LlamaConfig) -> None:
        self.gate_proj = Linear(config.n_embd, config.n_inner, bias=False)
        self.up_proj = Linear(config.n_embd, config.n_inner, bias=False)
        self.down_proj = Linear(config.n_inner, config.n_embd, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Transforms each token on its own: ``[..., C]`` to ``[..., C]``."""
        gate = self.gate_proj(x)
        opened = gate * F.sigmoid(gate)  # SiLU
        return self.down_proj(opened * self.up_proj(x))


class LlamaBlock(Module[[Tensor, Tensor, Tensor], Tensor]):
    """Step 11 with these parts, under the names of Hugging Face's checkpoints.

    Args:
        config: the model's sizes.

    Source: Touvron et al. 2023, "LLaMA: Open and Efficient Foundation Language
    Models", section 2.2.
    """

    input_layernorm: RMSNorm  # before attention
    self_attn: LlamaAttention
    post_attention_layernorm: RMSNorm  # before the feed-forward network
    mlp: LlamaMLP

    def __init__(self, config: LlamaConfig) -> None:
        eps = config.layer_norm_epsilon
        self.input_layernorm = RMSNorm(config.n_embd, eps=eps)
        self.self_attn = LlamaAttention(config)
        self.post_attention_layernorm = RMSNorm(config.n_embd, eps=eps)
        self.mlp = LlamaMLP(config)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Runs one layer of the model: ``[B, T, C]`` to ``[B, T, C]``."""
        attend = partial(self.self_attn, cos=cos, sin=sin)
        x = pre_norm_residual(x, self.input_layernorm, attend)
        return pre_norm_residual(x, self.post_attention_layernorm, self.mlp)


class LlamaModel(Module[[Tensor], Tensor]):
    """Step 12 with these blocks, and no table of position embeddings.

    Args:
        config: the model's sizes; ``n_layer`` blocks are stacked.
    """

    embed_tokens: GPT2Embeddings
    layers: ModuleList
    norm: RMSNorm

    def __init__(self, config: LlamaConfig) -> None:
        head_size = config.n_embd // config.n_head
        self.tables = rotary_tables(config.n_positions, head_size, config.rope_theta)
        self.embed_tokens = GPT2Embeddings(config)
        self.layers = ModuleList([LlamaBlock(config) for _ in range(config.n_layer)])
        self.norm = RMSNorm(config.n_embd, eps=config.layer_norm_epsilon)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Turns token ids ``[B, T]`` into hidden states ``[B, T, C]``."""
        length, device = input_ids.shape[1], input_ids.device
        positions = Tensor.arange(length, dtype=DType.int64, device=device)
        tables = (Tensor(table, device=device) for table in self.tables)
        cos, sin = (F.gather(table, positions, axis=0) for table in tables)
        x = self.embed_tokens(input_ids)
        for block in self.layers:
            x = block(x, cos, sin)
        return self.norm(x)


class LlamaForCausalLM(Module[[Tensor], Tensor]):
    """Step 13, with a head that may have weights of its own.

    Args:
        config: the model's sizes. With ``tie_word_embeddings`` there is no
            ``lm_head``: the head is the token embedding.
    """

    model: LlamaModel
    lm_head: Linear  # C -> V

    def __init__(self, config: LlamaConfig) -> None:
        self.tied = config.tie_word_embeddings
        self.model = LlamaModel(config)
        if not self.tied:
            self.lm_head = Linear(config.n_embd, config.vocab_size, bias=False)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Rates every possible next token: ids ``[B, T]`` to logits ``[B, T, V]``."""
        hidden = self.model(input_ids)
        if self.tied:
            return hidden @ self.model.embed_tokens.weight.T  # [B, T, C] @ [C, V]
        return self.lm_head(hidden)
