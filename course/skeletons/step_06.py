"""Step 06: position embeddings, which tell the first token from the last.

Attention weighs tokens by what they are, not by where they stand: "dog bites man" and
"man bites dog" hold the same three words. So GPT-2 has a second table, with one row
for each place in a text, and step 12 adds the place's row to the token's row.

    y[t] = the row of weight with the number positions[t]

You know the mechanics from step 05; what differs is the size. The trap: this table has
as many rows as a text may have tokens, not as there are tokens in the vocabulary. And
positions come without a batch axis: every text of a batch starts at place 0.

Look up: ``Tensor.zeros``, ``F.gather``.
Check with ``pixi run s06`` or ``uv run s06``.
"""

from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import Tensor

from steps.step_01 import GPT2Config


class GPT2PositionEmbeddings(Module[[Tensor], Tensor]):
    """A table with one row of C numbers for every place in the text.

    Args:
        config: the model's sizes; ``n_positions`` rows of ``n_embd`` = C channels.

    Source: Radford et al. 2018, "Improving Language Understanding by Generative
    Pre-Training", section 3.1 (W_p).
    """

    weight: Tensor  # [n_positions, C]

    def __init__(self, config: GPT2Config) -> None:
        # The table, zeros until a checkpoint fills it.

        raise NotImplementedError(
            "Create weight, a table of zeros with one row of C numbers per position."
        )

    def forward(self, positions: Tensor) -> Tensor:
        """Looks up each position's row: ``[T]``, counted from 0, to ``[T, C]``."""
        # Fetch a row for every position: [T] -> [T, C]. The positions arrive ready,
        # counted from 0: look them up as they are.

        raise NotImplementedError("Return the table's row for every position.")
