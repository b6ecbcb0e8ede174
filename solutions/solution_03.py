"""Step 03: layer normalization, which keeps the numbers in a network in range."""

from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import Tensor


class LayerNorm(Module[[Tensor], Tensor]):
    """Normalizes each token's channels to mean 0 and variance 1, then rescales.

    Args:
        dim: C, the number of channels.
        eps: added to the variance, so that equal channels do not divide by zero.

    Source: Ba, Kiros and Hinton 2016, "Layer Normalization", section 3.
    """

    weight: Tensor  # [C], starts at one
    bias: Tensor  # [C], starts at zero

    def __init__(self, dim: int, *, eps: float = 1e-5) -> None:
        self.eps = eps
        self.weight = Tensor.ones([dim])
        self.bias = Tensor.zeros([dim])

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes the last axis of ``x``: ``[..., C]`` to ``[..., C]``."""
        centered = x - F.mean(x, axis=-1)
        variance = F.mean(centered * centered, axis=-1)  # [..., 1]
        normalized = centered * F.rsqrt(variance + self.eps)
        return normalized * self.weight + self.bias
