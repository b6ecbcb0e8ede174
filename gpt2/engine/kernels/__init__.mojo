"""The course's own operations for MAX's graph, on a CPU.

``products.mojo`` multiplies, ``attention.mojo`` attends, ``rows.mojo`` does the rest.
This file gives them the names and the tensors of a graph.
"""

import extensibility
from extensibility import IO, InputTensor, IOSpec, ManagedTensorSlice, OutputTensor

from .attention import Sizes, attend
from .products import F32, Numbers, Plain, Scaled, project, project_by
from .rows import embed, normalize

comptime Changed = IOSpec[True, IO.Input]()  # an input that the operation writes to


@extensibility.register("linear")
struct Linear:
    """Computes y = x Wᵀ + bias, maybe followed by GELU; see ``products.project``.

    ``matvec`` holds the address of a function that computes W x for one row, or 0.
    """

    @staticmethod
    def execute[
        target: StaticString, gelu: Bool
    ](
        y: OutputTensor[dtype=F32, rank=2, ...],
        x: InputTensor[dtype=F32, rank=2, ...],
        w: InputTensor[rank=2, ...],
        matvec: InputTensor[dtype=DType.int64, rank=1, ...],
        bias: InputTensor[dtype=F32, rank=1, ...],
    ) raises:
        var rows, outs, k = x.dim_size(0), w.dim_size(0), w.dim_size(1)
        var address = Int(matvec.unsafe_ptr()[unsafe_offset=0])
        var result, numbers = bare(y.unsafe_ptr()), bare(x.unsafe_ptr())
        var weights, biases = bare(w.unsafe_ptr()), bare(bias.unsafe_ptr())
        if rows == 1 and address != 0:
            var plain = weights.unsafe_bitcast[Float32]()
            project_by[gelu](address, result, numbers, plain, biases, outs, k)
        else:
            project[gelu](result, numbers, Plain(weights), biases, rows, outs, k)


@extensibility.register("linear_scaled")
struct LinearScaled:
    """Does what ``Linear`` does, for whole numbers with scales."""

    @staticmethod
    def execute[
        target: StaticString, gelu: Bool
    ](
        y: OutputTensor[dtype=F32, rank=2, ...],
        x: InputTensor[dtype=F32, rank=2, ...],
        w: InputTensor[dtype=DType.int8, rank=2, ...],
        scales: InputTensor[dtype=F32, rank=2, ...],
        bias: InputTensor[dtype=F32, rank=1, ...],
    ) raises:
        project[gelu](
            bare(y.unsafe_ptr()),
            bare(x.unsafe_ptr()),
            Scaled(bare(w.unsafe_ptr()), bare(scales.unsafe_ptr())),
            bare(bias.unsafe_ptr()),
            x.dim_size(0),
            w.dim_size(0),
            w.dim_size(1),
        )


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
        attend(
            bare(y.unsafe_ptr()),
            bare(qkv.unsafe_ptr()),
            bare(keys.unsafe_ptr()),
            bare(values.unsafe_ptr()),
            bare(lengths.unsafe_ptr()),
            bare(asked.unsafe_ptr()),
            sizes,
        )


@extensibility.register("embedding")
struct Embedding:
    """Adds the rows of tokens and of positions; see ``rows.embed``."""

    @staticmethod
    def execute[
        target: StaticString
    ](
        y: OutputTensor[dtype=F32, rank=3, ...],
        ids: InputTensor[dtype=DType.int64, rank=2, ...],
        positions: InputTensor[dtype=DType.int64, rank=2, ...],
        w: InputTensor[rank=2, ...],
        places: InputTensor[dtype=F32, rank=2, ...],
    ) raises:
        embed(
            bare(y.unsafe_ptr()),
            bare(ids.unsafe_ptr()),
            bare(positions.unsafe_ptr()),
            Plain(bare(w.unsafe_ptr())),
            bare(places.unsafe_ptr()),
            ids.dim_size(0) * ids.dim_size(1),
            w.dim_size(1),
        )


@extensibility.register("embedding_scaled")
struct EmbeddingScaled:
    """Does what ``Embedding`` does, for whole numbers with scales."""

    @staticmethod
    def execute[
        target: StaticString
    ](
        y: OutputTensor[dtype=F32, rank=3, ...],
        ids: InputTensor[dtype=DType.int64, rank=2, ...],
        positions: InputTensor[dtype=DType.int64, rank=2, ...],
        w: InputTensor[dtype=DType.int8, rank=2, ...],
        scales: InputTensor[dtype=F32, rank=2, ...],
        places: InputTensor[dtype=F32, rank=2, ...],
    ) raises:
        embed(
            bare(y.unsafe_ptr()),
            bare(ids.unsafe_ptr()),
            bare(positions.unsafe_ptr()),
            Scaled(bare(w.unsafe_ptr()), bare(scales.unsafe_ptr())),
            bare(places.unsafe_ptr()),
            ids.dim_size(0) * ids.dim_size(1),
            w.dim_size(1),
        )


@extensibility.register("norm")
struct Norm:
    """Computes a layer normalization; see ``rows.normalize``."""

    @staticmethod
    def execute[
        target: StaticString
    ](
        y: OutputTensor[dtype=F32, rank=3, ...],
        x: InputTensor[dtype=F32, rank=3, ...],
        weight: InputTensor[dtype=F32, rank=1, ...],
        bias: InputTensor[dtype=F32, rank=1, ...],
        epsilon: InputTensor[dtype=F32, rank=1, ...],
    ) raises:
        normalize(
            bare(y.unsafe_ptr()),
            bare(x.unsafe_ptr()),
            bare(weight.unsafe_ptr()),
            bare(bias.unsafe_ptr()),
            epsilon.unsafe_ptr()[unsafe_offset=0],
            x.dim_size(0) * x.dim_size(1),
            x.dim_size(2),
        )


@always_inline
def bare[dtype: DType, //](place: Pointer[Scalar[dtype], _]) -> Numbers[dtype]:
    """Returns a tensor's first place without what the compiler knows of its owner."""
    return place.unsafe_mut_cast[True]().unsafe_origin_cast[MutUntrackedOrigin]()
