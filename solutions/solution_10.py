"""Step 10: the residual connection, which adds to a token instead of replacing it."""

from collections.abc import Callable

from max.experimental.tensor import Tensor


def pre_norm_residual(
    x: Tensor,
    norm: Callable[[Tensor], Tensor],
    sublayer: Callable[[Tensor], Tensor],
) -> Tensor:
    """Adds what a sublayer makes of the normalized input to the input itself.

    Args:
        x: ``[B, T, C]``, the residual stream.
        norm: a layer normalization, ``[B, T, C]`` to the same shape.
        sublayer: attention or the feed-forward network, likewise.

    Returns:
        ``[B, T, C]``, the stream with the sublayer's result added.

    Source: He et al. 2015, "Deep Residual Learning for Image Recognition", section
    3.2; Radford et al. 2019, section 2.3 (normalization moved to the input).
    """
    return x + sublayer(norm(x))
