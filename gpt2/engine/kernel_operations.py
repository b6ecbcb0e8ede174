"""The cached model's operations on a CPU: the course's own kernels, in Mojo.

The folder ``kernels`` has their source. The cache has a key and a value
``[B, H, P, D]`` for each layer, where P is the context. The kernel of attention writes
to it in place.

Shapes: see ``operations``.
"""

from pathlib import Path

from max.driver import CPU
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import Tensor
from max.graph import BufferType, TensorType

from gpt2.engine.operations import Layer, take
from gpt2.engine.precision import BLOCK, Precision
from solutions.solution_01 import GPT2Config

KERNELS = Path(__file__).parent / "kernels"


class KernelOperations:
    """The operations for weights of one precision."""

    def __init__(self, precision: Precision) -> None:
        self.precision = precision

    def prepare(self, layer: Module) -> None:
        """Gives a layer the parameters of its precision; see ``precision.pack``."""
        shape = layer.weight.shape
        layer.weight = Tensor.zeros(shape, dtype=DType[self.precision])
        if self.precision == "int8":
            layer.scale = Tensor.zeros([shape[0], int(shape[1]) // BLOCK])
        else:
            layer.matvec = Tensor.zeros([1], dtype=DType.int64)

    def cache_types(self, config: GPT2Config) -> tuple[BufferType, BufferType]:
        """Returns the types of a layer's key and value, ``[B, H, P, D]``."""
        head_size = config.n_embd // config.n_head
        shape = ["batch", config.n_head, config.n_positions, head_size]
        kind = BufferType(DType.float32, shape, device=CPU())
        return kind, kind

    def seen_type(self) -> TensorType:
        """Returns the type of the texts' lengths before the new tokens, ``[B]``."""
        return TensorType(DType.int64, ["batch"], device=CPU())

    def embed(self, table: Module, ids: Tensor) -> Tensor:
        """Looks up the rows of ids ``[B, T]``: ``[B, T, C]``."""
        if self.precision != "int8":
            return F.gather(table.weight, ids, axis=0).cast(DType.float32)
        # MAX 26.7 multiplies gathered blocks by a neighbour's scale.
        batch, length = ids.shape
        channels = table.weight.shape[1]
        rows = call(
            "embedding_scaled",
            [ids.reshape([batch * length]), table.weight, table.scale],
            [batch * length, channels],
        )
        return rows.reshape([batch, length, channels])

    def multiply(self, x: Tensor, layer: Module) -> Tensor:
        """Returns ``x @ weight.T`` ``[N, out]`` for x ``[N, in]``."""
        shape = [x.shape[0], layer.weight.shape[0]]
        if self.precision == "int8":
            return call("linear_scaled", [x, layer.weight, layer.scale], shape)
        return call("linear", [x, layer.weight, layer.matvec], shape)

    def attend(
        self,
        qkv: Tensor,
        past: Layer,
        seen: Tensor,
        positions: Tensor,
        asked: Tensor | None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Does what ``Operations.attend`` says; the kernel fills the cache."""
        batch, _, channels = qkv.shape
        asking = take(positions, asked)
        key, value = past
        heads, head_size = key.shape[1], key.shape[3]
        shape = [batch, asking.shape[1], heads, head_size]
        (attended,) = F.inplace_custom(
            "attention",
            CPU(),
            [qkv, key.__buffervalue__(), value.__buffervalue__(), seen, asking],
            [TensorType(DType.float32, shape, device=CPU())],
        )
        return attended.reshape([batch, asking.shape[1], int(channels) // 3]), ()

    def gelu(self, x: Tensor) -> Tensor:
        """Returns GELU's tanh form."""
        return F.gelu(x, approximate="tanh")


def call(name: str, inputs: list[Tensor], shape: list) -> Tensor:
    """Calls a kernel with one float32 result of the given shape."""
    kind = TensorType(DType.float32, shape, device=CPU())
    (result,) = F.custom(name, CPU(), inputs, [kind])
    return result
