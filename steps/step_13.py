"""Step 13: the language-model head, from hidden states to a logit for every token.

The body of step 12 ends with C numbers for each position in the text. Which token comes
next? The head compares these numbers with every row of the token table, by their dot
product: the better a token's row fits, the higher its number, called logit.

    logits[b, t, v] = the dot product of hidden[b, t] and row v of the token table

Reading and writing share one table ("weight tying"): the matrix that turned ids into
channels turns channels back into a logit for each id. The trap: a linear layer of its
own, even one filled with a copy, would add a parameter that no checkpoint has and
could drift apart from the table.

Look up: the operator ``@``, ``Tensor.T`` (a property, without parentheses).
Check with ``pixi run s13`` or ``uv run s13``.
"""

from max.experimental.nn import Module
from max.experimental.tensor import Tensor

from steps.step_01 import GPT2Config
from steps.step_12 import GPT2Model


class MaxGPT2LMHeadModel(Module[[Tensor], Tensor]):
    """GPT-2 with its head, which is the token embedding used a second time.

    Args:
        config: the model's sizes.

    Source: Press and Wolf 2017, "Using the Output Embedding to Improve Language
    Models", section 3; Radford et al. 2018, section 3.1, equation 2.
    """

    transformer: GPT2Model

    def __init__(self, config: GPT2Config) -> None:
        # The body of step 12; the head needs nothing of its own.

        raise NotImplementedError("Create transformer, the model of step 12.")

    def forward(self, input_ids: Tensor) -> Tensor:
        """Rates every possible next token: ids ``[B, T]`` to logits ``[B, T, V]``."""
        # Hidden states: [B, T] -> [B, T, C]

        # Compared with every row of the body's token table, [V, C] turned on its side:
        # [B, T, C] and [C, V] -> [B, T, V]

        raise NotImplementedError(
            "Return the hidden states' dot products with every row of wte's table."
        )
