"""Exports the engine's kernels with the C interface, for tests with NumPy's arrays."""

from attention import Places, Sizes, attend
from products import F32, Floats, Numbers, Plain, Scaled, finish, project, project_by
from rows import Ids, embed, normalize

comptime Halves = Numbers[DType.bfloat16]
comptime Wholes = Numbers[DType.int8]


@export
def product_float32(
    y: Floats, x: Floats, w: Floats, bias: Floats, rows: Int, outs: Int, k: Int
) abi("C"):
    project[False](y, x, Plain[F32](w), bias, rows, outs, k)


@export
def product_bfloat16(
    y: Floats, x: Floats, w: Halves, bias: Floats, rows: Int, outs: Int, k: Int
) abi("C"):
    project[False](y, x, Plain[DType.bfloat16](w), bias, rows, outs, k)


@export
def product_int8(
    y: Floats, x: Floats, w: Wholes, scales: Floats, bias: Floats,
    rows: Int, outs: Int, k: Int,
) abi("C"):
    project[False](y, x, Scaled(w, scales), bias, rows, outs, k)


@export
def product_by(
    address: Int, y: Floats, x: Floats, w: Floats, bias: Floats, outs: Int, k: Int
) abi("C"):
    project_by[False](address, y, x, w, bias, outs, k)


@export
def finish_gelu(row: Floats, bias: Floats, start: Int, end: Int) abi("C"):
    finish[True](row, bias, start, end)


@export
def attention(
    y: Floats, qkv: Floats, keys: Floats, values: Floats, lengths: Places, asked: Places,
    texts: Int, tokens: Int, asking: Int, heads: Int, places: Int, size: Int,
) abi("C"):
    var sizes = Sizes(texts, tokens, asking, heads, places, size)
    attend(y, qkv, keys, values, lengths, asked, sizes)


@export
def norm(
    y: Floats, x: Floats, weight: Floats, bias: Floats, epsilon: Float32,
    count: Int, channels: Int,
) abi("C"):
    normalize(y, x, weight, bias, epsilon, count, channels)


@export
def embedding_float32(
    y: Floats, ids: Ids, positions: Ids, w: Floats, places: Floats,
    count: Int, channels: Int,
) abi("C"):
    embed(y, ids, positions, Plain[F32](w), places, count, channels)


@export
def embedding_bfloat16(
    y: Floats, ids: Ids, positions: Ids, w: Halves, places: Floats,
    count: Int, channels: Int,
) abi("C"):
    embed(y, ids, positions, Plain[DType.bfloat16](w), places, count, channels)


@export
def embedding_int8(
    y: Floats, ids: Ids, positions: Ids, w: Wholes, scales: Floats, places: Floats,
    count: Int, channels: Int,
) abi("C"):
    embed(y, ids, positions, Scaled(w, scales), places, count, channels)
