"""Step 10: the residual connection, which adds to a token instead of replacing it.

Twelve blocks in a row would blur a token beyond recognition if each replaced it. So a
sublayer (attention, or the feed-forward network) only adds: what came in goes on, plus
what the sublayer has to say about it. The token's channels run through the model like
a stream that every sublayer reads from and adds to.

The sublayer reads a normalized copy, so that it always sees numbers in range. The trap
is in the word copy: the stream itself is not normalized, neither before the addition
nor after it. (The first Transformer normalized the sum; GPT-2 moved that to the input.)

Look up: nothing new; ``norm`` and ``sublayer`` are called like functions.
Check with ``pixi run s10`` or ``uv run s10``.
"""

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
    # Three things of shape [B, T, C]: the stream, its normalized copy, and what the
    # sublayer makes of the copy. Two of them make up the result.

    raise NotImplementedError(
        "Return the input plus what the sublayer makes of the normalized input."
    )
