"""Step 12: stacking, from token ids through every block to the last normalization.

This is the body of GPT-2. A token's row plus its position's row start the stream, every
block adds to it, and a last layer normalization brings the sum back into range:

    x = wte(ids) + wpe(0, 1, ..., T - 1)
    x = block(x)      for each of the n_layer blocks, in order
    y = ln_f(x)

The traps: each block has weights of its own, and multiplying a list that holds one
block repeats the very same block. Positions are counted from 0, once for the whole
batch: [T, C] added to [B, T, C] serves every text in it.

Look up: ``Tensor.arange``, ``ModuleList`` (made from a list, can be looped over).
Check with ``pixi run s12`` or ``uv run s12``.
"""

from max.dtype import DType
from max.experimental.nn import Module, ModuleList
from max.experimental.tensor import Tensor

from steps.step_01 import GPT2Config
from steps.step_03 import LayerNorm
from steps.step_05 import GPT2Embeddings
from steps.step_06 import GPT2PositionEmbeddings
from steps.step_11 import GPT2Block


class GPT2Model(Module[[Tensor], Tensor]):
    """GPT-2 without its head: what the model knows about each position in the text.

    Args:
        config: the model's sizes; ``n_layer`` blocks are stacked.

    Source: Radford et al. 2018, section 3.1, equation 2; Radford et al. 2019,
    section 2.3 (the additional layer normalization after the last block).
    """

    wte: GPT2Embeddings
    wpe: GPT2PositionEmbeddings
    h: ModuleList
    ln_f: LayerNorm

    def __init__(self, config: GPT2Config) -> None:
        # The two tables of steps 05 and 06.

        # h: n_layer blocks, each one made anew. The parameters' names will start with
        # h.0, h.1 and so on, as in the checkpoint.

        # The last normalization, with the config's epsilon.

        raise NotImplementedError("Create wte, wpe, the n_layer blocks in h, and ln_f.")

    def forward(self, input_ids: Tensor) -> Tensor:
        """Turns token ids ``[B, T]`` into hidden states ``[B, T, C]``."""
        # The positions 0 to T - 1: [T]. Rows are looked up by whole numbers, so ask for
        # an integer dtype (a float is the default), and for the device of the ids: a
        # tensor keeps its own as .dtype and .device. T may be a symbol: take it from
        # the shape without int(...).

        # Both tables: [B, T] -> [B, T, C], plus [T] -> [T, C], gives [B, T, C]

        # Through the blocks, one after the other, then the last normalization:
        # [B, T, C] -> [B, T, C]

        raise NotImplementedError(
            "Add token and position embeddings, run every block, then normalize."
        )
