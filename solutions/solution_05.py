"""Step 05: token embeddings, from a token's id to its vector."""

from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import Tensor

from solutions.solution_01 import GPT2Config


class GPT2Embeddings(Module[[Tensor], Tensor]):
    """A table with one row of C numbers for every token of the vocabulary.

    Args:
        config: the model's sizes; ``vocab_size`` is V and ``n_embd`` is C.

    Source: Radford et al. 2018, "Improving Language Understanding by Generative
    Pre-Training", section 3.1 (W_e).
    """

    weight: Tensor  # [V, C]

    def __init__(self, config: GPT2Config) -> None:
        self.weight = Tensor.zeros([config.vocab_size, config.n_embd])

    def forward(self, input_ids: Tensor) -> Tensor:
        """Looks up each token's row: ids ``[B, T]`` to ``[B, T, C]``."""
        return F.gather(self.weight, input_ids, axis=0)
