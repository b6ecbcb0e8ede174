"""Step 08: attention, where every token gathers from those before it."""

from math import sqrt

from max.experimental import functional as F
from max.experimental.tensor import Tensor

from solutions.solution_02 import causal_mask


def compute_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Mixes the values: the better a key answers the query, the larger its share.

    Args:
        query: ``[..., T, D]``, what each token looks for.
        key: ``[..., T, D]``, what each token can be found by.
        value: ``[..., T, D]``, what each token has to give.

    Returns:
        ``[..., T, D]``. Token i's result depends on tokens 0 to i alone.

    Source: Vaswani et al. 2017, section 3.2.1, equation 1.
    """
    length, head_size = query.shape[-2], int(query.shape[-1])
    scores = query @ key.transpose(-1, -2) / sqrt(head_size)  # [..., T, T]
    mask = causal_mask(length, 0, dtype=scores.dtype, device=scores.device)
    shares = F.softmax(scores + mask, axis=-1)  # each row sums to 1
    return shares @ value  # [..., T, T] @ [..., T, D] -> [..., T, D]
