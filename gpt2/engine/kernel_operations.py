"""The cached model's operations on a CPU: the course's own kernels, in Mojo.

The folder ``kernels`` has their source. The cache has a key and a value
``[B, H, P, D]`` for each layer, where P is the context. The kernel of attention writes
to it in place.

Shapes: see ``operations``.
"""

from collections.abc import Sequence
from pathlib import Path

from max.driver import CPU
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import Tensor
from max.graph import BufferType, DeviceRef, Dim, TensorType

from gpt2.engine.operations import Layer, take
from gpt2.engine.precision import BLOCK, Precision
from solutions.solution_01 import GPT2Config
from solutions.solution_03 import LayerNorm
from solutions.solution_05 import GPT2Embeddings
from solutions.solution_12 import GPT2Model

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
        if isinstance(layer, GPT2Embeddings):  # the head is a layer without a bias
            layer.bias = Tensor.zeros([shape[0]])

    def cache_types(self, config: GPT2Config) -> tuple[BufferType, BufferType]:
        """Returns the types of a layer's key and value, ``[B, H, P, D]``."""
        head_size = config.n_embd // config.n_head
        shape = ["batch", config.n_head, config.n_positions, head_size]
        # MAX 26.6 takes no Device here.
        kind = BufferType(DType.float32, shape, device=DeviceRef.CPU())
        return kind, kind

    def seen_type(self) -> TensorType:
        """Returns the type of the texts' lengths before the new tokens, ``[B]``."""
        return TensorType(DType.int64, ["batch"], device=CPU())

    def embed(self, model: GPT2Model, ids: Tensor, positions: Tensor) -> Tensor:
        """Adds the rows of ids and of positions ``[B, T]``: ``[B, T, C]``."""
        table = [model.wte.weight]
        table += [model.wte.scale] if self.precision == "int8" else []
        inputs = [ids, positions, *table, model.wpe.weight]
        return self.call("embedding", inputs, [*ids.shape, model.wte.weight.shape[1]])

    def normalize(self, x: Tensor, layer: LayerNorm) -> Tensor:
        """Returns the layer normalization of ``[B, T, C]``."""
        epsilon = Tensor([layer.eps], dtype=DType.float32, device=CPU())
        return call("norm", [x, layer.weight, layer.bias, epsilon], x.shape)

    def project(self, x: Tensor, layer: Module, *, gelu: bool) -> Tensor:
        """Returns ``x @ weight.T + bias`` ``[N, out]`` for x ``[N, in]``."""
        last = layer.scale if self.precision == "int8" else layer.matvec
        inputs = [x, layer.weight, last, layer.bias]
        return self.call(
            "linear", inputs, [x.shape[0], layer.weight.shape[0]], gelu=gelu
        )

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

    def call(
        self, name: str, inputs: list[Tensor], shape: Sequence[Dim], **options: bool
    ) -> Tensor:
        """Calls the kernel for weights of this precision; see the function ``call``."""
        name = f"{name}_scaled" if self.precision == "int8" else name
        return call(name, inputs, shape, **options)


def call(
    name: str, inputs: list[Tensor], shape: Sequence[Dim], **options: bool
) -> Tensor:
    """Calls a kernel, whose result is float32 of a shape."""
    kind = TensorType(DType.float32, shape, device=CPU())
    (result,) = F.custom(name, CPU(), inputs, [kind], parameters=options)
    return result
