"""The course's own operations for MAX's graph, on a CPU.

``products.mojo`` multiplies and ``attention.mojo`` attends. This file gives them the names
and the tensors of a graph.
"""

import extensibility
from extensibility import IO, InputTensor, IOSpec, ManagedTensorSlice, OutputTensor

from .attention import Sizes, attend
from .products import F32, Numbers, Plain, Scaled, call, multiply

comptime Changed = IOSpec[True, IO.Input]()  # an input that the operation writes to


@extensibility.register("linear")
struct Linear:
    """Computes y = x Wᵀ; see ``products.multiply``.

    ``matvec`` holds the address of a function that computes this for one row of x, or 0.
    """

    @staticmethod
    def execute[
        target: StaticString
    ](
        y: OutputTensor[dtype=F32, rank=2, ...],
        x: InputTensor[dtype=F32, rank=2, ...],
        w: InputTensor[rank=2, ...],
        matvec: InputTensor[dtype=DType.int64, rank=1, ...],
    ) raises:
        var rows, outs, k = x.dim_size(0), w.dim_size(0), w.dim_size(1)
        var address = Int(matvec.unsafe_ptr()[unsafe_offset=0])
        if rows == 1 and address != 0:
            call(address, bare(y.unsafe_ptr()), bare(x.unsafe_ptr()), bare(w.unsafe_ptr()).unsafe_bitcast[Float32](), outs, k)
        else:
            multiply(bare(y.unsafe_ptr()), bare(x.unsafe_ptr()), Plain(bare(w.unsafe_ptr())), rows, outs, k)


@extensibility.register("linear_scaled")
struct LinearScaled:
    """Computes y = x Wᵀ for whole numbers with scales; see ``products.Scaled``."""

    @staticmethod
    def execute[
        target: StaticString
    ](
        y: OutputTensor[dtype=F32, rank=2, ...],
        x: InputTensor[dtype=F32, rank=2, ...],
        w: InputTensor[dtype=DType.int8, rank=2, ...],
        scales: InputTensor[dtype=F32, rank=2, ...],
    ) raises:
        var weights = Scaled(bare(w.unsafe_ptr()), bare(scales.unsafe_ptr()))
        multiply(bare(y.unsafe_ptr()), bare(x.unsafe_ptr()), weights, x.dim_size(0), w.dim_size(0), w.dim_size(1))


@extensibility.register("attention")
struct Attention:
    """Appends to a cache, and attends to it; see ``attention.attend``."""

    @staticmethod
    def execute[
        target: StaticString
    ](
        y: OutputTensor[dtype=F32, rank=4, ...],
        qkv: InputTensor[dtype=F32, rank=3, ...],
        keys: ManagedTensorSlice[io_spec=Changed, dtype=F32, rank=4, ...],
        values: ManagedTensorSlice[io_spec=Changed, dtype=F32, rank=4, ...],
        lengths: InputTensor[dtype=DType.int64, rank=1, ...],
        asked: InputTensor[dtype=DType.int64, rank=2, ...],
    ) raises:
        var sizes = Sizes(
            texts=qkv.dim_size(0),
            tokens=qkv.dim_size(1),
            asking=asked.dim_size(1),
            heads=keys.dim_size(1),
            places=keys.dim_size(2),
            size=keys.dim_size(3),
        )
        attend(bare(y.unsafe_ptr()), bare(qkv.unsafe_ptr()), bare(keys.unsafe_ptr()), bare(values.unsafe_ptr()), bare(lengths.unsafe_ptr()), bare(asked.unsafe_ptr()), sizes)


@extensibility.register("embedding_scaled")
struct EmbeddingScaled:
    """Looks up rows of whole numbers with scales; see ``products.Scaled``."""

    @staticmethod
    def execute[
        target: StaticString
    ](
        y: OutputTensor[dtype=F32, rank=2, ...],
        ids: InputTensor[dtype=DType.int64, rank=1, ...],
        w: InputTensor[dtype=DType.int8, rank=2, ...],
        scales: InputTensor[dtype=F32, rank=2, ...],
    ) raises:
        var weights = Scaled(bare(w.unsafe_ptr()), bare(scales.unsafe_ptr()))
        var k = w.dim_size(1)
        for row in range(ids.dim_size(0)):
            var start = Int(ids.unsafe_ptr()[unsafe_offset=row]) * k
            for i in range(k):
                y.unsafe_ptr()[unsafe_offset = row * k + i] = weights.read[1](start + i)


@always_inline
def bare[dtype: DType, //](place: Pointer[Scalar[dtype], _]) -> Numbers[dtype]:
    """Returns a tensor's first place without what the compiler knows of its owner."""
    return place.unsafe_mut_cast[True]().unsafe_origin_cast[MutUntrackedOrigin]()
