"""GPT-2 in PyTorch, whose weights have the names of Hugging Face's checkpoints."""

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INTO_STREAM = ("c_proj.weight", "o_proj.weight", "down_proj.weight")


@dataclass(frozen=True)
class Shape:
    """The model's sizes, named as in config.json."""

    vocab_size: int
    n_positions: int = 256
    n_embd: int = 192
    n_layer: int = 4
    n_head: int = 6


class SharedDropout(nn.Dropout):
    """Dropout with one mask per channel for a whole window (Gal & Ghahramani 2016).

    It draws fewer random numbers, which take most of plain dropout's time on a CPU.
    """

    def forward(self, x: Tensor) -> Tensor:  # [B, T, C]
        return x * super().forward(torch.ones_like(x[:, :1])) if self.training else x


class Attention(nn.Module):
    """Causal attention with several heads (steps 7 to 9)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.n_head
        self.c_attn = nn.Linear(shape.n_embd, 3 * shape.n_embd)
        self.c_proj = nn.Linear(shape.n_embd, shape.n_embd)

    def forward(self, x: Tensor) -> Tensor:  # [B, T, C]
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, H, T, D]
            for part in self.c_attn(x).chunk(3, dim=-1)
        )
        return self.c_proj(attend(q, k, v))


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:  # [B, H, T, D] -> [B, T, C]
    """Averages the values of all heads, and puts the heads side by side (step 8)."""
    scores = q * q.shape[-1] ** -0.5 @ k.mT  # [B, H, T, T]
    # On a CPU, these lines are faster than F.scaled_dot_product_attention.
    later = torch.full_like(scores[0, 0], -1e4).triu(1)
    mixed = torch.softmax(scores + later, dim=-1) @ v
    return mixed.transpose(1, 2).flatten(2)


class MLP(nn.Module):
    """The feed-forward network (step 4)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.c_fc = nn.Linear(shape.n_embd, 4 * shape.n_embd)
        self.c_proj = nn.Linear(4 * shape.n_embd, shape.n_embd)

    def forward(self, x: Tensor) -> Tensor:  # [B, T, C]
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    """One of the model's layers (step 11)."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(shape.n_embd), Attention(shape)
        self.ln_2, self.mlp = nn.LayerNorm(shape.n_embd), MLP(shape)
        self.drop = SharedDropout(dropout)

    def forward(self, x: Tensor) -> Tensor:  # [B, T, C]
        x = x + self.drop(self.attn(self.ln_1(x)))
        return x + self.drop(self.mlp(self.ln_2(x)))


class GPT2(nn.Module):
    """The whole model (steps 12 and 13); the head's weights are those of ``wte``."""

    kind, architecture = "gpt2", "GPT2LMHeadModel"
    prefix = "transformer."  # of all names in a checkpoint
    sizes: ClassVar = {field.name: field.name for field in fields(Shape)}  # in the file

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.wte = nn.Embedding(shape.vocab_size, shape.n_embd)
        self.wpe = nn.Embedding(shape.n_positions, shape.n_embd)
        self.h = nn.ModuleList(Block(shape, dropout) for _ in range(shape.n_layer))
        self.ln_f = nn.LayerNorm(shape.n_embd)
        self.drop = SharedDropout(dropout)
        for name, p in self.named_parameters():
            initialize(name, p, shape.n_layer)

    def forward(self, ids: Tensor) -> Tensor:  # [B, T] -> [B, T, V]
        x = self.drop(self.wte(ids) + self.wpe.weight[: ids.shape[1]])
        for block in self.h:
            x = block(x)
        return F.linear(self.ln_f(x), self.wte.weight)

    def settings(self) -> dict[str, Any]:
        """What config.json says besides the sizes."""
        return {
            "n_inner": 4 * self.shape.n_embd,
            "activation_function": "gelu_new",
            "layer_norm_epsilon": 1e-5,
        }


def initialize(name: str, p: Tensor, layers: int) -> None:
    """Draws a weight as GPT-2 does: standard deviation 0.02, less into the stream."""
    if p.dim() == 2:
        into_stream = name.endswith(INTO_STREAM)
        nn.init.normal_(p, std=0.02 / math.sqrt(2 * layers) if into_stream else 0.02)
    elif name.endswith("bias"):
        nn.init.zeros_(p)
