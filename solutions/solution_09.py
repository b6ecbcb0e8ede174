"""Step 09: multi-head attention, several questions at once."""

from max.experimental.nn import Linear, Module
from max.experimental.tensor import Tensor

from solutions.solution_01 import GPT2Config
from solutions.solution_07 import GPT2SingleHeadQKV
from solutions.solution_08 import compute_attention


class GPT2MultiHeadAttention(Module[[Tensor], Tensor]):
    """Cuts the channels into H heads, lets each attend alone, and joins them again.

    Args:
        config: the model's sizes; ``n_embd`` = C is ``n_head`` = H times D.

    Source: Vaswani et al. 2017, section 3.2.2.
    """

    qkv: GPT2SingleHeadQKV  # transparent: its layer's parameters are c_attn.*
    c_proj: Linear  # C -> C, mixes what the heads found

    def __init__(self, config: GPT2Config) -> None:
        self.n_head = config.n_head
        self.qkv = GPT2SingleHeadQKV(config)
        self.c_proj = Linear(config.n_embd, config.n_embd)

    def split_heads(self, x: Tensor) -> Tensor:
        """Gives each head its part of the channels: [B, T, C] -> [B, H, T, D]."""
        batch, length, channels = x.shape
        head_size = int(channels) // self.n_head
        return x.reshape([batch, length, self.n_head, head_size]).transpose(1, 2)

    def merge_heads(self, x: Tensor) -> Tensor:
        """Undoes ``split_heads``: [B, H, T, D] -> [B, T, C]."""
        batch, heads, length, head_size = x.shape
        return x.transpose(1, 2).reshape([batch, length, heads * head_size])

    def forward(self, x: Tensor) -> Tensor:
        """Lets each token gather from the tokens before it: ``[B, T, C]`` to same."""
        query, key, value = self.qkv(x)
        attended = compute_attention(
            self.split_heads(query), self.split_heads(key), self.split_heads(value)
        )
        return self.c_proj(self.merge_heads(attended))
