"""Step 09: multi-head attention, several questions at once.

One attention gives each token one set of shares, but a verb may need its subject and
its object at the same time. So GPT-2 lets H attentions, the heads, run side by side.
Head 0 owns the first D = C / H channels, head 1 the next D, and so on; c_proj then
mixes what they found. Since step 08 takes any leading axes, one call serves all heads:

    [B, T, C] -> [B, T, H, D] -> [B, H, T, D]    split
    [B, H, T, D] -> [B, T, H, D] -> [B, T, C]    merge, the same way back

The trap: reshaping never moves a number, it only reads the same sequence in other
portions. Going from [B, T, C] straight to [B, H, T, D] gives the right shape with the
wrong numbers. Moving an axis past another takes a transpose.

Look up: ``Tensor.reshape`` (takes a list), ``Tensor.transpose``, ``Linear``.
Check with ``pixi run s09`` or ``uv run s09``.
"""

from max.experimental.nn import Linear, Module
from max.experimental.tensor import Tensor

from steps.step_01 import GPT2Config
from steps.step_07 import GPT2SingleHeadQKV
from steps.step_08 import compute_attention


class GPT2MultiHeadAttention(Module[[Tensor], Tensor]):
    """Cuts the channels into H heads, lets each attend alone, and joins them again.

    Args:
        config: the model's sizes; ``n_embd`` = C is ``n_head`` = H times D.

    Source: Vaswani et al. 2017, section 3.2.2.
    """

    qkv: GPT2SingleHeadQKV  # transparent: its layer's parameters are c_attn.*
    c_proj: Linear  # C -> C, mixes what the heads found

    def __init__(self, config: GPT2Config) -> None:
        # Remember the number of heads, and create the two modules declared above.

        raise NotImplementedError(
            "Store the number of heads and create qkv (step 07) and c_proj."
        )

    def split_heads(self, x: Tensor) -> Tensor:
        """Gives each head its part of the channels: [B, T, C] -> [B, H, T, D]."""
        # The three sizes of x. C is always a number, so int(...) may turn it into one
        # to find D; B and T may be symbols: hand them on just as they are.

        # Cut the last axis in two: [B, T, C] -> [B, T, H, D]

        # Bring the heads forward: [B, T, H, D] -> [B, H, T, D]

        raise NotImplementedError(
            "Cut the channels into heads: [B, T, C] to [B, H, T, D]."
        )

    def merge_heads(self, x: Tensor) -> Tensor:
        """Undoes ``split_heads``: [B, H, T, D] -> [B, T, C]."""
        # The same two moves, in the opposite order:
        # [B, H, T, D] -> [B, T, H, D] -> [B, T, C]. Sizes can be multiplied.

        raise NotImplementedError(
            "Put the heads' channels side by side again: [B, H, T, D] to [B, T, C]."
        )

    def forward(self, x: Tensor) -> Tensor:
        """Lets each token gather from the tokens before it: ``[B, T, C]`` to same."""
        # Query, key and value: [B, T, C] -> three of [B, T, C]

        # All three split, attention, merged again: -> [B, H, T, D] -> [B, T, C]

        # Mix what the heads found: [B, T, C] -> [B, T, C]

        raise NotImplementedError(
            "Project, split into heads, attend, merge, and apply c_proj."
        )
