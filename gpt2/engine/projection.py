"""Linear layers that are fast both for one row and for many rows."""

from max.experimental import functional as F
from max.experimental.nn import Linear
from max.experimental.tensor import Tensor
from max.graph import TensorType

from gpt2.engine import accelerated
from runtime.releases import WEIGHTS_IN_BRANCHES


def project(x: Tensor, weight: Tensor) -> Tensor:
    """Returns ``x @ weight.T`` ``[N, out]`` for ``[N, in]`` and ``[out, in]``.

    On a CPU, the product with a column is faster for one row: a token of GPT-2 124M
    takes 35 ms instead of 52 ms on two cores. For eight rows or more it is not faster.
    On an accelerator, MAX's product is exact for one row only.
    """
    # MAX loses a weight that is first used inside a branch, so this use comes first.
    turned = weight.T

    def one() -> Tensor:
        return (turned.T @ x.T).T if x.device.is_host else x @ turned

    def many() -> Tensor:
        return x @ turned if x.device.is_host else accelerated.multiply(x, turned)

    if not WEIGHTS_IN_BRANCHES:
        return many()
    (result,) = F.cond(
        F.equal(Tensor.from_dim(x.shape[0]), 1),
        [TensorType(x.dtype, [x.shape[0], weight.shape[0]], x.device)],
        one,
        many,
    )
    return result


class Projection(Linear):
    """A ``Linear`` with the same parameters and a faster product."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``[B, T, in]`` to ``[B, T, out]``."""
        batch, length, channels = x.shape
        rows = project(x.reshape([batch * length, channels]), self.weight)
        return rows.reshape([batch, length, self.out_dim]) + self.bias
