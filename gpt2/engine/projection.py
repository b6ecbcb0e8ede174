"""Linear layers that are fast both for one row and for many rows."""

from max.experimental import functional as F
from max.experimental.nn import Linear
from max.experimental.tensor import Tensor
from max.graph import TensorType

from runtime.releases import WEIGHTS_IN_BRANCHES


def project(x: Tensor, weight: Tensor) -> Tensor:
    """Returns ``x @ weight.T`` ``[N, out]`` for ``[N, in]`` and ``[out, in]``.

    For one row, the product with a column is faster: a token of GPT-2 124M takes
    35 ms instead of 52 ms on two cores. For eight rows or more it is not faster.
    """
    if not WEIGHTS_IN_BRANCHES:
        return x @ weight.T
    # MAX loses a weight that is first used inside a branch, so this use comes first.
    turned = weight.T
    (result,) = F.cond(
        F.equal(Tensor.from_dim(x.shape[0]), 1),
        [TensorType(x.dtype, [x.shape[0], weight.shape[0]], x.device)],
        lambda: (turned.T @ x.T).T,
        lambda: x @ turned,
    )
    return result


class Projection(Linear):
    """A ``Linear`` with the same parameters and a faster product."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``[B, T, in]`` to ``[B, T, out]``."""
        batch, length, channels = x.shape
        rows = project(x.reshape([batch * length, channels]), self.weight)
        return rows.reshape([batch, length, self.out_dim]) + self.bias
