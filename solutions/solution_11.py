"""Step 11: the transformer block, the piece that GPT-2 repeats."""

from max.experimental.nn import Module
from max.experimental.tensor import Tensor

from solutions.solution_01 import GPT2Config
from solutions.solution_03 import LayerNorm
from solutions.solution_04 import GPT2MLP
from solutions.solution_09 import GPT2MultiHeadAttention
from solutions.solution_10 import pre_norm_residual


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
        self.ln_1 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = GPT2MultiHeadAttention(config)
        self.ln_2 = LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = GPT2MLP(config.n_inner, config)

    def forward(self, x: Tensor) -> Tensor:
        """Runs one layer of the model: ``[B, T, C]`` to ``[B, T, C]``."""
        x = pre_norm_residual(x, self.ln_1, self.attn)  # tokens exchange
        return pre_norm_residual(x, self.ln_2, self.mlp)  # each token thinks
