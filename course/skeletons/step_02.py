"""Step 02: the causal mask, which hides the future from every token.

GPT-2 writes one token after the other, so no token may look at a later one. In
attention (step 08) every token gives every token a score: how much it wants to look
there. Softmax then turns each row of scores into shares that sum to 1, by taking exp
of each score and dividing by the row's sum. The mask is added before that. 0 leaves a
score as it is; -inf takes away the whole share, because exp(-inf) is 0.

``sequence_length`` counts the new tokens, for which something is computed now: a row
each. ``num_tokens`` counts earlier ones, whose results were kept: no row, but a column
each, in front, since the new tokens may look at them. For 4 new tokens after 2 earlier
ones, with a dot for 0 and an x for -inf:

    . . . x x x     row 0, the first new token: both earlier ones and itself
    . . . . x x     row 1
    . . . . . x     row 2
    . . . . . .     row 3, the last: everything

Earlier tokens come with the KV cache, after the course; until then ``num_tokens`` is 0.

Look up: ``Tensor.full`` or ``F.broadcast_to``, then ``F.band_part``. Python shows what
a MAX operation does: ``from max.experimental import functional as F`` and then
``help(F.band_part)``.
Check with ``pixi run s02`` or ``uv run s02``.
"""

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
    # The shape is a list: [T, T + num_tokens]. MAX compiles a model once for texts of
    # every length. For this it traces the code with a symbol for T, not a number:
    # int(...), range(...) and NumPy cannot use it, but Dim (from the imports) takes
    # ints and symbols alike and can be added to. num_tokens is an int at all times.

    # A tensor of this shape, -inf everywhere, of the given dtype and on the given
    # device. In Python, -inf is float("-inf").

    # Keep the -inf above the diagonal only, 0 in all other places; earlier context
    # moves the diagonal to the right. F.band_part takes a matrix, then num_lower and
    # num_upper: how many diagonals below and above the one that starts at [0, 0] belong
    # to the band, None for all of them. It writes 0 outside the band, or inside it,
    # which its last argument decides.
    # Zeros and ones times -inf would not do: 0 times -inf is NaN. F.where can do it,
    # but not with two Python numbers: one of its values has to be a Tensor.

    raise NotImplementedError(
        "Return the mask: 0 where row i may look at column j, -inf elsewhere."
    )
