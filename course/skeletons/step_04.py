"""Step 04: the feed-forward network, where each token is thought over alone.

Attention will bring information from other tokens; this network works on what has
arrived, for each token separately. A linear layer (a matrix of weights, plus a bias)
widens the C channels, to four times as many in GPT-2. GELU follows: a smooth curve
that lets positive numbers pass and holds negative ones back. A second linear layer
makes C channels of the result:

    y = c_proj(gelu(c_fc(x)))

Without GELU, the two layers would do no more than one. The trap: there are two
GELUs, the exact one and an approximation by tanh. GPT-2 was trained with the
approximation, and MAX computes the exact one unless it is told otherwise. They differ
by 0.0005 at most. You would not see it in a text; a comparison of numbers sees it.

Look up: ``Linear`` (size in, size out; a bias is included), ``F.gelu``.
Check with ``pixi run s04`` or ``uv run s04``.
"""

from max.experimental import functional as F
from max.experimental.nn import Linear, Module
from max.experimental.tensor import Tensor

from steps.step_01 import GPT2Config


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
        # The two layers declared above. A module stored on self brings its parameters
        # along: here c_fc.weight, c_fc.bias, c_proj.weight and c_proj.bias.

        raise NotImplementedError(
            "Create c_fc, from C to intermediate_size, and c_proj, back to C."
        )

    def forward(self, x: Tensor) -> Tensor:
        """Transforms each token on its own: ``[..., C]`` to ``[..., C]``."""
        # Widen, then GELU: [..., C] -> [..., intermediate_size]. A layer is called like
        # a function. Mind which GELU.

        # Back to C: [..., intermediate_size] -> [..., C]

        raise NotImplementedError(
            "Apply the first layer, GELU in its tanh form, and the second layer."
        )
