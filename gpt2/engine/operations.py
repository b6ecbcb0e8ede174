"""What the cached model is made of, and who computes it.

Shapes: B batch, T new tokens, A asking tokens, C channels, N rows, V vocabulary.
"""

from typing import Protocol

from max.experimental import functional as F
from max.experimental.nn import Linear, Module
from max.experimental.tensor import Tensor
from max.graph import BufferType, TensorType

from solutions.solution_01 import GPT2Config
from solutions.solution_03 import LayerNorm
from solutions.solution_12 import GPT2Model

Layer = tuple[Tensor, Tensor]  # a key and a value of the cache


class Operations(Protocol):
    """Computes the parts of a cached model, with kernels or with MAX's operations."""

    def prepare(self, layer: Module) -> None:
        """Gives a layer with a ``weight`` the parameters that the weight is kept in."""

    def cache_types(self, config: GPT2Config) -> tuple[BufferType | TensorType, ...]:
        """Returns the types of a layer's key and value in the cache."""

    def seen_type(self) -> TensorType:
        """Returns the type of what tells which positions a token sees."""

    def embed(self, model: GPT2Model, ids: Tensor, positions: Tensor) -> Tensor:
        """Adds the rows of ids and of positions ``[B, T]``: ``[B, T, C]``."""

    def normalize(self, x: Tensor, layer: LayerNorm) -> Tensor:
        """Returns the layer normalization of ``[B, T, C]``."""

    def project(self, x: Tensor, layer: Module, *, gelu: bool) -> Tensor:
        """Returns ``x @ weight.T + bias`` ``[N, out]`` for x ``[N, in]``.

        With ``gelu``, GELU's tanh form follows.
        """

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


class Projection(Linear):
    """A ``Linear`` whose weight may be kept in another way."""

    operations: Operations

    def forward(self, x: Tensor, *, gelu: bool = False) -> Tensor:
        """Maps ``[B, T, in]`` to ``[B, T, out]``."""
        batch, length, channels = x.shape
        rows = x.reshape([batch * length, channels])
        rows = self.operations.project(rows, self, gelu=gelu)
        return rows.reshape([batch, length, rows.shape[1]])


class Norm(LayerNorm):
    """Step 03's layer normalization, computed by ``operations``."""

    operations: Operations

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes the channels of each token of ``[B, T, C]``."""
        return self.operations.normalize(x, self)


def take(x: Tensor, asked: Tensor | None) -> Tensor:
    """Returns the asked tokens of ``[B, T, ...]``: ``[B, A, ...]``; None takes all."""
    return x if asked is None else F.gather(x, asked, axis=1)
