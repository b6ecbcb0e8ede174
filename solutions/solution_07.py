"""Step 07: query, key and value, what a token asks, offers and says."""

from max.experimental import functional as F
from max.experimental.nn import Linear, TransparentModule
from max.experimental.tensor import Tensor

from solutions.solution_01 import GPT2Config


class GPT2SingleHeadQKV(TransparentModule[[Tensor], tuple[Tensor, Tensor, Tensor]]):
    """One linear layer that makes a query, a key and a value for every token.

    It is a ``TransparentModule``: its own name stays out of its parameters' names.
    Step 09 keeps it as ``qkv``, yet in a block the weight is ``attn.c_attn.weight``,
    as in GPT-2's checkpoint, and not ``attn.qkv.c_attn.weight``.

    Args:
        config: the model's sizes; ``n_embd`` is C.

    Source: Vaswani et al. 2017, section 3.2.
    """

    c_attn: Linear  # C -> 3 C: query's, key's and value's layer side by side

    def __init__(self, config: GPT2Config) -> None:
        self.c_attn = Linear(config.n_embd, 3 * config.n_embd)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Projects ``[B, T, C]`` to a query, a key and a value of the same shape."""
        query, key, value = F.chunk(self.c_attn(x), 3, axis=-1)
        return query, key, value
