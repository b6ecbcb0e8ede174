"""Step 13: the language-model head, from hidden states to a logit for every token."""

from max.experimental.nn import Module
from max.experimental.tensor import Tensor

from solutions.solution_01 import GPT2Config
from solutions.solution_12 import GPT2Model


class MaxGPT2LMHeadModel(Module[[Tensor], Tensor]):
    """GPT-2 with its head, which is the token embedding used a second time.

    Args:
        config: the model's sizes.

    Source: Press and Wolf 2017, "Using the Output Embedding to Improve Language
    Models", section 3; Radford et al. 2018, section 3.1, equation 2.
    """

    transformer: GPT2Model

    def __init__(self, config: GPT2Config) -> None:
        self.transformer = GPT2Model(config)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Rates every possible next token: ids ``[B, T]`` to logits ``[B, T, V]``."""
        hidden = self.transformer(input_ids)
        return hidden @ self.transformer.wte.weight.T  # [B, T, C] @ [C, V]
