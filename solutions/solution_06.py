"""Step 06: position embeddings, which tell the first token from the last."""

from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import Tensor

from solutions.solution_01 import GPT2Config


class GPT2PositionEmbeddings(Module[[Tensor], Tensor]):
    """A table with one row of C numbers for every place in the text.

    Args:
        config: the model's sizes; ``n_positions`` rows of ``n_embd`` = C channels.

    Source: Radford et al. 2018, "Improving Language Understanding by Generative
    Pre-Training", section 3.1 (W_p).
    """

    weight: Tensor  # [n_positions, C]

    def __init__(self, config: GPT2Config) -> None:
        self.weight = Tensor.zeros([config.n_positions, config.n_embd])

    def forward(self, positions: Tensor) -> Tensor:
        """Looks up each position's row: ``[T]``, counted from 0, to ``[T, C]``."""
        return F.gather(self.weight, positions, axis=0)
