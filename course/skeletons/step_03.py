"""Step 03: layer normalization, which keeps the numbers in a network in range.

A signal that runs through dozens of layers would soon grow out of bounds or fade
away. So before each of them every token's C channels are shifted to mean 0 and scaled
to variance 1. Two learned vectors then give each channel the range that suits it:

    y = (x - mean) / sqrt(variance + eps) * weight + bias

Mean and variance are taken over the last axis alone: a token's result depends on no
other token. The variance is the mean of the squared differences, so it is divided by
C and not by C - 1. The trap is eps: it stands inside the root.

``Module`` is MAX's base class for whatever has parameters; calling a module runs its
``forward``. The brackets in ``Module[[Tensor], Tensor]`` are for readers and type
checkers alone: first a list of the types that ``forward`` takes (here one tensor), then
the type that it returns. When the code runs they do nothing.

Look up: ``Tensor.ones``, ``Tensor.zeros``, ``F.mean``, ``F.rsqrt`` (1 / root).
Check with ``pixi run s03`` or ``uv run s03``.
"""

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
        # Keep eps for forward, and create the two parameters declared above. A tensor
        # that is stored on self is a parameter of the module, under its attribute's
        # name; MAX needs no super().__init__(). A shape is a list.

        raise NotImplementedError(
            "Store eps and create weight, all ones, and bias, all zeros, of length dim."
        )

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes the last axis of ``x``: ``[..., C]`` to ``[..., C]``."""
        # Each token's mean, subtracted: [..., C]. F.mean keeps the axis it averages,
        # with size 1, so its result combines with x as it is.

        # The variance: [..., C] -> [..., 1]. MAX has no function for it, but what you
        # have by now is already centred.

        # Divide by the root, then apply the two parameters: [..., C].

        raise NotImplementedError(
            "Normalize the last axis, then multiply by weight and add bias."
        )
