"""The cached model's operations by MAX, for accelerators and as a fallback on CPUs.

The cache has a key and a value ``[P, B, H, D]`` for each layer, where P is the number
of positions in use. With positions first, the first P of a longer buffer are
contiguous.

On NVIDIA's GPUs, MAX's own operations round more than float32 does, and no setting
changes that. A product of matrices, also inside attention, uses 11 of 24 binary digits
of each number (TF32). The relative error of tanh is up to 2⁻¹¹. Sums, exp and the
product of one row are exact. So products and GELU are computed in another way there.

Shapes: see ``operations``.
"""

from math import pi, sqrt

from max.driver import Device
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import Tensor
from max.graph import Dim, TensorType

from gpt2.engine.operations import Layer, Projection, take
from runtime.releases import WEIGHTS_IN_BRANCHES
from solutions.solution_01 import GPT2Config
from solutions.solution_03 import LayerNorm
from solutions.solution_12 import GPT2Model


class MaxOperations:
    """The operations on one device; all weights are float32."""

    def __init__(self, config: GPT2Config, device: Device) -> None:
        self.device = device
        self.shape = [config.n_head, config.n_embd // config.n_head]

    def prepare(self, layer: Module) -> None:
        """Changes nothing."""

    def cache_types(self, config: GPT2Config) -> tuple[TensorType, TensorType]:
        """Returns the types of a layer's key and value, ``[P, B, H, D]``."""
        kind = TensorType(DType.float32, ["past", "batch", *self.shape], self.device)
        return kind, kind

    def seen_type(self) -> TensorType:
        """Returns the type of the mask ``[B, T, P + T]``: 0 for a visible position,
        -inf for a hidden one."""
        # Not "past + seq": a subgraph does not accept a sum as a size.
        return TensorType(DType.float32, ["batch", "seq", "total"], self.device)

    def embed(self, model: GPT2Model, ids: Tensor, positions: Tensor) -> Tensor:
        """Adds the rows of ids and of positions ``[B, T]``: ``[B, T, C]``."""
        return model.wte(ids) + model.wpe(positions)

    def normalize(self, x: Tensor, layer: LayerNorm) -> Tensor:
        """Returns the layer normalization of ``[B, T, C]``."""
        return LayerNorm.forward(layer, x)

    def project(self, x: Tensor, layer: Module, *, gelu: bool) -> Tensor:
        """Returns ``x @ weight.T + bias`` ``[N, out]`` for x ``[N, in]``."""
        rows = self.multiply(x, layer.weight.T)
        if isinstance(layer, Projection):  # the head is a layer without a bias
            rows = rows + layer.bias
        if not gelu:
            return rows
        return (
            F.gelu(rows, approximate="tanh") if rows.device.is_host else own_gelu(rows)
        )

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """Returns ``x @ weight`` in float32, or nearly so on an accelerator."""
        if x.device.is_host:
            return x @ weight
        if not WEIGHTS_IN_BRANCHES:
            return multiply(x, weight)
        (result,) = F.cond(  # MAX's product of one row is exact
            F.equal(Tensor.from_dim(x.shape[0]), 1),
            [TensorType(x.dtype, [x.shape[0], weight.shape[1]], x.device)],
            lambda: x @ weight,
            lambda: multiply(x, weight),
        )
        return result

    def attend(
        self,
        qkv: Tensor,
        past: Layer,
        seen: Tensor,
        positions: Tensor,
        asked: Tensor | None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Does what ``Operations.attend`` says; the new key and value are
        ``[T, B, H, D]``."""
        batch, length, channels = qkv.shape
        parts = qkv.reshape([batch, length, 3, *self.shape])
        query, key, value = (parts[:, :, i] for i in range(3))
        query, mask = take(query, asked), take(seen, asked)
        query = query * (1 / sqrt(self.shape[1]))
        attended = attend(query, key, value, past, mask)
        new = key.transpose(0, 1), value.transpose(0, 1)
        return attended.reshape([batch, query.shape[1], int(channels) // 3]), new


def attend(
    query: Tensor, key: Tensor, value: Tensor, past: Layer, mask: Tensor
) -> Tensor:
    """Computes attention of new tokens to the past and to earlier new tokens.

    It needs sums: MAX recognises attention made of products of matrices, and replaces
    it by a kernel that computes in TF32, for instance with heads of 64 channels.

    Args:
        query: ``[B, A, H, D]``, already divided by the square root of D.
        key, value: ``[B, T, H, D]``, of the new tokens.
        past: a key and a value ``[P, B, H, D]``, of the tokens before them.
        mask: ``[B, A, P + T]``, 0 for a visible position, -inf for a hidden one.

    Returns:
        ``[B, A, H, D]``.
    """
    places = mask.shape[-1]
    keys = join(past[0], key, places)
    values = join(past[1], value, places)
    scores = F.sum(keys.unsqueeze(2) * query.unsqueeze(0), axis=-1).squeeze(-1)
    scores = scores.permute([1, 2, 3, 0]) + mask.unsqueeze(2)  # [B, A, H, P + T]
    shares = F.softmax(scores, axis=-1).permute([3, 0, 1, 2]).unsqueeze(-1)
    return F.sum(values.unsqueeze(2) * shares, axis=0).squeeze(0)  # [B, A, H, D]


def join(old: Tensor, new: Tensor, places: Dim) -> Tensor:
    """Returns ``[P + T, B, H, D]`` for ``[P, B, H, D]`` and ``[B, T, H, D]``."""
    joined = F.concat([old, new.transpose(0, 1)], axis=0)
    return F.rebind(joined, [places, *joined.shape[1:]])


def multiply(x: Tensor, weight: Tensor) -> Tensor:
    """Returns ``x @ weight`` nearly in float32, although MAX multiplies in TF32.

    Each matrix is split into its leading 8 binary digits, which TF32 keeps, and the
    rest. The product of the two rests is too small to matter.
    """
    (x, x_rest), (weight, weight_rest) = split(x), split(weight)
    return x @ weight + (x @ weight_rest + x_rest @ weight)


def split(x: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the leading 8 binary digits of each number, and the rest."""
    leading = x.cast(DType.bfloat16).cast(x.dtype)
    return leading, x - leading


def own_gelu(x: Tensor) -> Tensor:
    """Returns GELU's tanh form through exp: (1 + tanh u) / 2 = 1 / (1 + exp(-2u))."""
    u = sqrt(2 / pi) * (x + 0.044715 * x * x * x)
    return x / (1 + F.exp(-2 * u))
