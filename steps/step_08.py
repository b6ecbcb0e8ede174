"""Step 08: attention, where every token gathers from those before it.

Here tokens exchange information. Each query is compared with every key by their dot
product: a large one means "this is what I look for". Softmax turns a token's scores
into shares that sum to 1, and the token receives a mix of the values in these shares:

    attention(Q, K, V) = softmax(Q K^T / sqrt(D) + mask) V

A dot product of D numbers grows like sqrt(D); without the division softmax would give
nearly everything to one token. The traps: D is the size of the last axis of what comes
in, whatever the model's C may be, and there may be any number of axes before the last
two, so count axes from the end.

Look up: the operator ``@``, ``Tensor.transpose``, ``F.softmax``; ``sqrt`` is in
Python's ``math``. Your mask from step 02 is imported.
Check with ``pixi run s08`` or ``uv run s08``.
"""

from max.experimental import functional as F
from max.experimental.tensor import Tensor

from steps.step_02 import causal_mask


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
    # T and D, from the query's shape. Sizes in a shape are Dim objects: math.sqrt and
    # division refuse them, so make D a plain int. Leave T as it is: while a model is
    # traced it is a symbol and has no number yet.

    # Scores, every query with every key: [..., T, D] and [..., D, T] -> [..., T, T],
    # scaled.

    # The mask, [T, T], without earlier context, of the scores' dtype and on their
    # device; a tensor has both, as .dtype and .device. Added to the scores, the mask
    # fits any number of leading axes.

    # Shares: [..., T, T] -> [..., T, T]; a query's shares, one row, sum to 1.

    # Each token's mix: [..., T, T] and [..., T, D] -> [..., T, D]

    raise NotImplementedError(
        "Return the mix of the values, in the shares that the scores give."
    )
