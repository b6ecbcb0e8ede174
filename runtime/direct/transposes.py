"""Transposes of a model's parameters, kept from token to token.

``x @ weight.T`` writes the weight down in another order each time. For few rows of
``x`` that takes longer than the product.
"""

from collections.abc import Iterable
from math import prod

from max.driver import Buffer
from max.experimental.tensor import Tensor

Axes = tuple[int, int]
MOST_BYTES = 2**30  # of transposes: a larger model may not fit into memory twice


class Transposes:
    """The transposes of some tensors, until anything is written into any tensor.

    Args:
        parameters: the tensors.
    """

    def __init__(self, parameters: Iterable[Tensor] = ()) -> None:
        self._parameters = {id(tensor): tensor for tensor in parameters}
        self._kept: dict[tuple[int, Axes], tuple[Buffer, Buffer]] = {}
        self._bytes = 0

    def find(self, source: Tensor, buffer: Buffer, axes: Axes) -> Tensor | None:
        """Returns a kept transpose of a tensor that still has this buffer."""
        before, result = self._kept.get((id(source), axes), (None, None))
        return Tensor(storage=result) if before is buffer else None

    def keep(self, source: Tensor, buffer: Buffer, axes: Axes, result: Tensor) -> None:
        """Keeps a transpose, if ``source`` is a parameter and there is room."""
        size = prod(buffer.shape) * result.dtype.size_in_bytes
        if id(source) in self._parameters and self._bytes + size <= MOST_BYTES:
            self._bytes += size
            self._kept[id(source), axes] = buffer, result.driver_tensor

    def clear(self) -> None:
        """Forgets all transposes: a parameter or a transpose may have changed."""
        self._kept.clear()
        self._bytes = 0
