"""Step 04: the feed-forward network, where each token is thought over alone."""

from max.experimental import functional as F
from max.experimental.nn import Linear, Module
from max.experimental.tensor import Tensor

from solutions.solution_01 import GPT2Config


class GPT2MLP(Module[[Tensor], Tensor]):
    """Two linear layers with a GELU between them, applied to every token alike.

    Args:
        intermediate_size: the width between the two layers (4 C in GPT-2).
        config: the model's sizes; ``n_embd`` is C.

    Source: Vaswani et al. 2017, section 3.3; Hendrycks and Gimpel 2016,
    "Gaussian Error Linear Units", section 2 (the tanh approximation).
    """

    c_fc: Linear  # [.., C] -> [.., intermediate_size]
    c_proj: Linear  # and back

    def __init__(self, intermediate_size: int, config: GPT2Config) -> None:
        self.c_fc = Linear(config.n_embd, intermediate_size)
        self.c_proj = Linear(intermediate_size, config.n_embd)

    def forward(self, x: Tensor) -> Tensor:
        """Transforms each token on its own: ``[..., C]`` to ``[..., C]``."""
        # GPT-2 was trained with the tanh form; the exact GELU differs by up to 5e-4.
        hidden = F.gelu(self.c_fc(x), approximate="tanh")
        return self.c_proj(hidden)
