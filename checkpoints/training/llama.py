"""Llama in PyTorch, with the shape of GPT-2 and as many weights in each layer."""

from typing import Any, ClassVar

import torch
from model import Shape, SharedDropout, attend, initialize
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON, THETA = 1e-5, 10_000.0


def kv_heads(shape: Shape) -> int:
    """The heads with a key and a value: one for two queries, if that works out."""
    return shape.n_head // 2 if shape.n_head % 2 == 0 else shape.n_head


def inner(shape: Shape) -> int:
    """The width of the feed-forward network.

    With 3 C and one key for two queries, a layer has the 12 C² weights of GPT-2's.
    """
    return 3 * shape.n_embd


def tables(shape: Shape) -> tuple[Tensor, Tensor]:
    """The cosine and the sine of every position's rotations, ``[n_positions, D/2]``."""
    size = shape.n_embd // shape.n_head
    speeds = THETA ** (-torch.arange(0, size, 2) / size)
    angles = torch.arange(shape.n_positions)[:, None] * speeds
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:  # [B, H, T, D]
    """Turns each pair of channels by its position's angle (Su et al. 2021)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


class Attention(nn.Module):
    """Causal attention with rotary positions and grouped queries."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.groups = shape.n_head, kv_heads(shape)
        channels = shape.n_embd
        narrow = channels // self.heads * self.groups
        self.q_proj = nn.Linear(channels, channels, bias=False)
        self.k_proj = nn.Linear(channels, narrow, bias=False)
        self.v_proj = nn.Linear(channels, narrow, bias=False)
        self.o_proj = nn.Linear(channels, channels, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:  # [B, T, C]
        q = self.q_proj(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = (
            layer(x).unflatten(-1, (self.groups, -1)).transpose(1, 2)
            for layer in (self.k_proj, self.v_proj)
        )
        times = self.heads // self.groups
        k = rotate(k, cos, sin).repeat_interleave(times, dim=1)
        v = v.repeat_interleave(times, dim=1)
        return self.o_proj(attend(rotate(q, cos, sin), k, v))


class MLP(nn.Module):
    """The feed-forward network with a gate, SwiGLU (Shazeer 2020)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.n_embd, inner(shape), bias=False)
        self.up_proj = nn.Linear(shape.n_embd, inner(shape), bias=False)
        self.down_proj = nn.Linear(inner(shape), shape.n_embd, bias=False)

    def forward(self, x: Tensor) -> Tensor:  # [B, T, C]
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """One of the model's layers."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.n_embd, EPSILON)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.n_embd, EPSILON)
        self.mlp = MLP(shape)
        self.drop = SharedDropout(dropout)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:  # [B, T, C]
        x = x + self.drop(self.self_attn(self.input_layernorm(x), cos, sin))
        return x + self.drop(self.mlp(self.post_attention_layernorm(x)))


class Llama(nn.Module):
    """The whole model; the head's weights are those of ``embed_tokens``."""

    kind, architecture = "llama", "LlamaForCausalLM"
    prefix = "model."
    sizes: ClassVar = {
        "vocab_size": "vocab_size",
        "n_positions": "max_position_embeddings",
        "n_embd": "hidden_size",
        "n_layer": "num_hidden_layers",
        "n_head": "num_attention_heads",
    }

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.n_embd)
        self.layers = nn.ModuleList(Block(shape, dropout) for _ in range(shape.n_layer))
        self.norm = nn.RMSNorm(shape.n_embd, EPSILON)
        self.drop = SharedDropout(dropout)
        self.tables = tables(shape)
        for name, p in self.named_parameters():
            initialize(name, p, shape.n_layer)

    def forward(self, ids: Tensor) -> Tensor:  # [B, T] -> [B, T, V]
        x = self.drop(self.embed_tokens(ids))
        cos, sin = (table[: ids.shape[1]] for table in self.tables)
        for block in self.layers:
            x = block(x, cos, sin)
        return F.linear(self.norm(x), self.embed_tokens.weight)

    def settings(self) -> dict[str, Any]:
        """What config.json says besides the sizes."""
        return {
            "num_key_value_heads": kv_heads(self.shape),
            "intermediate_size": inner(self.shape),
            "hidden_act": "silu",
            "rms_norm_eps": EPSILON,
            "rope_theta": THETA,
        }
