"""Step 02: the causal mask, which hides the future from every token."""

from max.driver import Device
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.tensor import Tensor
from max.graph import Dim, DimLike


def causal_mask(
    sequence_length: DimLike, num_tokens: int, *, dtype: DType, device: Device
) -> Tensor:
    """Builds the matrix that is added to the attention scores.

    Row i belongs to the i-th new token. It may look at the ``num_tokens`` tokens
    of earlier context, at the new tokens before it, and at itself: columns up to
    and including i + num_tokens.

    Args:
        sequence_length: T, the number of new tokens (an int, or a symbolic
            dimension while a model is being traced).
        num_tokens: how many tokens of earlier context come before them; each has a
            column, in front, and none has a row.
        dtype: the type of the scores.
        device: where the scores live.

    Returns:
        ``[T, T + num_tokens]``: 0 where a token may look, -inf where it may not.

    Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.3.
    """
    shape = [Dim(sequence_length), Dim(sequence_length) + num_tokens]
    hidden = F.broadcast_to(Tensor(float("-inf"), dtype=dtype, device=device), shape)
    # exclude=True keeps what lies outside the band: everything above the diagonal.
    return F.band_part(hidden, None, num_tokens, exclude=True)
