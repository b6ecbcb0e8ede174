"""Step 07: query, key and value, what a token asks, offers and says.

In attention each token plays three parts. Its query says what it is looking for, its
key by what others can find it, its value what they get when they do. Each part is a
linear layer of the token's C channels. GPT-2 keeps the three layers side by side in
one, ``c_attn``, whose 3 C outputs hold the query first, then the key, then the value:

    c_attn(x) = [ query | key | value ]     each part C channels wide

The trap: the cut runs through the channels, the last axis; MAX cuts along the first
unless it is told otherwise. "Single head" means that the channels are not shared out
among heads yet; step 09 does that.

Look up: ``Linear``, ``F.chunk`` (or ``F.split``).
Check with ``pixi run s07`` or ``uv run s07``.
"""

from max.experimental import functional as F
from max.experimental.nn import Linear, TransparentModule
from max.experimental.tensor import Tensor

from steps.step_01 import GPT2Config


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
        # One layer, not three: the checkpoint has a single c_attn.

        raise NotImplementedError("Create c_attn, one linear layer from C to 3 C.")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Projects ``[B, T, C]`` to a query, a key and a value of the same shape."""
        # Project once: [B, T, C] -> [B, T, 3 C]

        # Cut the channels into three: [B, T, 3 C] -> three of [B, T, C]

        raise NotImplementedError(
            "Return query, key and value: the three thirds of c_attn's output."
        )
