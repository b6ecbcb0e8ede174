"""Step 05: token embeddings, from a token's id to its vector.

Text reaches the model as ids: whole numbers that are only names. Token 400 is not
twice token 200. So the model keeps a table with one row of C numbers for every token
of the vocabulary, learned in training, and reading a token means fetching its row:

    y[b, t] = the row of weight with the number ids[b, t]

The trap: NumPy would fetch the rows with square brackets, a MAX tensor does not. It
has an operation for this, which wants to know along which axis the rows are counted.

Look up: ``Tensor.zeros``, ``F.gather``.
Check with ``pixi run s05`` or ``uv run s05``.
"""

from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import Tensor

from steps.step_01 import GPT2Config


class GPT2Embeddings(Module[[Tensor], Tensor]):
    """A table with one row of C numbers for every token of the vocabulary.

    Args:
        config: the model's sizes; ``vocab_size`` is V and ``n_embd`` is C.

    Source: Radford et al. 2018, "Improving Language Understanding by Generative
    Pre-Training", section 3.1 (W_e).
    """

    weight: Tensor  # [V, C]

    def __init__(self, config: GPT2Config) -> None:
        # The table, zeros for now: the learned numbers come from a checkpoint
        # (step 01). It is a plain tensor on self, because its name in the checkpoint
        # ends in just weight.

        raise NotImplementedError(
            "Create weight, a table of zeros with one row of C numbers per token."
        )

    def forward(self, input_ids: Tensor) -> Tensor:
        """Looks up each token's row: ids ``[B, T]`` to ``[B, T, C]``."""
        # Fetch a row for every id, in one operation: [B, T] -> [B, T, C]

        raise NotImplementedError("Return the table's row for every token id.")
