"""Step 11: the transformer block, the piece that GPT-2 repeats.

All the parts are there; now they become a layer. A block has two sublayers. First
attention, where tokens exchange information, then the feed-forward network, where each
thinks over what it got. Each is wrapped in step 10, with a normalization of its own:

    x = x + attn(ln_1(x))
    x = x + mlp(ln_2(x))

The traps: the second line starts from the first line's result, not from what entered
the block. Both normalizations take their epsilon from the config, and the network's
width is the config's n_inner, which need not be 4 C. The attributes must be named as
below, for these are the names in GPT-2's checkpoint.

Look up: your own steps 03, 04, 09 and 10.
Check with ``pixi run s11`` or ``uv run s11``.
"""

from max.experimental.nn import Module
from max.experimental.tensor import Tensor

from steps.step_01 import GPT2Config
from steps.step_03 import LayerNorm
from steps.step_04 import GPT2MLP
from steps.step_09 import GPT2MultiHeadAttention
from steps.step_10 import pre_norm_residual


class GPT2Block(Module[[Tensor], Tensor]):
    """Attention, then the feed-forward network, each added to the residual stream.

    Args:
        config: the model's sizes.

    Source: Radford et al. 2019, section 2.3.
    """

    ln_1: LayerNorm
    attn: GPT2MultiHeadAttention
    ln_2: LayerNorm
    mlp: GPT2MLP

    def __init__(self, config: GPT2Config) -> None:
        # The four modules declared above, with their sizes from the config. Mind the
        # order of the arguments in step 04.

        raise NotImplementedError("Create ln_1, attn, ln_2 and mlp.")

    def forward(self, x: Tensor) -> Tensor:
        """Runs one layer of the model: ``[B, T, C]`` to ``[B, T, C]``."""
        # Tokens exchange: [B, T, C] -> [B, T, C]. A module can be handed over like a
        # function.

        # Each token thinks: [B, T, C] -> [B, T, C]

        raise NotImplementedError(
            "Add the attention's result, then the feed-forward network's."
        )
