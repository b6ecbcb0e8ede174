"""What the cached model is made of, and who computes it.

Shapes: B batch, T new tokens, A asking tokens, C channels, N rows, V vocabulary.
"""

from typing import Protocol

from max.experimental import functional as F
from max.experimental.nn import Linear, Module
from max.experimental.tensor import Tensor
from max.graph import BufferType, TensorType

from solutions.solution_01 import GPT2Config

Layer = tuple[Tensor, Tensor]  # a key and a value of the cache


class Operations(Protocol):
    """Computes the parts of a cached model, with kernels or with MAX's operations."""

    def prepare(self, layer: Module) -> None:
        """Gives a layer with a ``weight`` the parameters that the weight is kept in."""

    def cache_types(self, config: GPT2Config) -> tuple[BufferType | TensorType, ...]:
        """Returns the types of a layer's key and value in the cache."""

    def seen_type(self) -> TensorType:
        """Returns the type of what tells which positions a token sees."""

    def embed(self, table: Module, ids: Tensor) -> Tensor:
        """Looks up the rows of ids ``[B, T]``: ``[B, T, C]``."""

    def multiply(self, x: Tensor, layer: Module) -> Tensor:
        """Returns ``x @ weight.T`` ``[N, out]`` for x ``[N, in]``."""

    def attend(
        self,
        qkv: Tensor,
        past: Layer,
        seen: Tensor,
        positions: Tensor,
        asked: Tensor | None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Computes attention of new tokens to the past and to earlier new tokens.

        Args:
            qkv: ``[B, T, 3C]``, the queries, keys and values of the new tokens.
            past: a key and a value of the cache.
            seen: tells which positions a token sees.
            positions: ``[B, T]``, the new tokens' positions in their texts.
            asked: ``[A]``, the asking tokens among the new ones; None stands for all.

        Returns:
            ``[B, A, C]``, and the new key and value if the cache has not got them yet.
        """

    def gelu(self, x: Tensor) -> Tensor:
        """Returns GELU's tanh form."""


class Projection(Linear):
    """A ``Linear`` with the same bias, whose weight may be kept in another way."""

    operations: Operations

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``[B, T, in]`` to ``[B, T, out]``."""
        batch, length, channels = x.shape
        rows = self.operations.multiply(x.reshape([batch * length, channels]), self)
        return rows.reshape([batch, length, rows.shape[1]]) + self.bias


def take(x: Tensor, asked: Tensor | None) -> Tensor:
    """Returns the asked tokens of ``[B, T, ...]``: ``[B, A, ...]``; None takes all."""
    return x if asked is None else F.gather(x, asked, axis=1)
