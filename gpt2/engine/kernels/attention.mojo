"""Attention of new tokens to a cache, to which their keys and values are appended.

Shapes: B texts, T new tokens, A of them that ask, H heads, P places in the cache, D
numbers in a head. Up to four tokens ask together: they read each key and value once.

The keys and the values of a head lie row after row in the cache, so that memory
delivers them at full speed.
"""

from max.algorithm import sync_parallelize
from std.collections import Array
from std.math import exp, sqrt
from std.runtime import parallelism_level

from .products import F32, Floats, LANES, Numbers, Plain, SMALL, TILE, panel

comptime Places = Numbers[DType.int64]
comptime WIDE = 4 * LANES  # four rows of so many sums stay in registers


@fieldwise_init
struct Sizes(ImplicitlyCopyable):
    """B, T, A, H, P and D."""

    var texts: Int
    var tokens: Int
    var asking: Int
    var heads: Int
    var places: Int
    var size: Int


def attend(
    y: Floats,
    qkv: Floats,
    keys: Floats,
    values: Floats,
    lengths: Places,
    asked: Places,
    sizes: Sizes,
):
    """Appends the new keys and values to the cache, and computes attention.

    Args:
        y: ``[B, A, H, D]``, the result.
        qkv: ``[B, T, 3, H, D]``, queries, keys and values of the new tokens.
        keys: ``[B, H, P, D]``, the first half of the cache.
        values: ``[B, H, P, D]``, the other half.
        lengths: ``[B]``, how many places of the cache each text has before.
        asked: ``[B, A]``, the positions of the asking tokens in their texts.
        sizes: The letters of these shapes.
    """
    var longest = sizes.tokens
    for text in range(sizes.texts):
        longest = max(longest, Int(lengths[unsafe_offset=text]) + sizes.tokens)
    var tasks = sizes.texts * sizes.heads
    var work = 2 * tasks * sizes.asking * longest * sizes.size
    var parts = 1 if work < SMALL else min(parallelism_level(), tasks)

    def part(index: Int) {imm}:
        var room = List[Float32](length=TILE * (longest + sizes.size), fill=0)
        var shares = room.unsafe_ptr().unsafe_origin_cast[MutUntrackedOrigin]()
        var queries = shares.unsafe_offset(TILE * longest)
        for task in range(index * tasks // parts, (index + 1) * tasks // parts):
            var text, head = task // sizes.heads, task % sizes.heads
            var first = head * sizes.size
            var row = sizes.heads * sizes.size
            var new = qkv.unsafe_offset(text * sizes.tokens * 3 * row + first)
            var area = task * sizes.places * sizes.size
            var own_keys = keys.unsafe_offset(area)
            var own_values = values.unsafe_offset(area)
            var before = Int(lengths[unsafe_offset=text])
            append(own_keys, own_values, new, before, sizes)
            for start in range(0, sizes.asking, TILE):
                comptime for height in range(1, TILE + 1):
                    if min(sizes.asking - start, TILE) == height:
                        var place = text * sizes.asking + start
                        ask_together[height](
                            y.unsafe_offset(place * row + first),
                            new,
                            own_keys,
                            own_values,
                            before,
                            asked.unsafe_offset(place),
                            sizes,
                            queries,
                            shares,
                        )
        _ = room^  # the list lives until here

    sync_parallelize(part, parts)


@always_inline
def append(keys: Floats, values: Floats, new: Floats, before: Int, sizes: Sizes):
    """Writes the new tokens' keys and values of one head into the cache."""
    var row = sizes.heads * sizes.size
    for token in range(sizes.tokens):
        var key = new.unsafe_offset((3 * token + 1) * row)
        var value = new.unsafe_offset((3 * token + 2) * row)
        var place = (before + token) * sizes.size
        for i in range(sizes.size):
            keys[unsafe_offset = place + i] = key[unsafe_offset=i]
            values[unsafe_offset = place + i] = value[unsafe_offset=i]


@always_inline
def ask_together[
    height: Int
](
    y: Floats,
    new: Floats,
    keys: Floats,
    values: Floats,
    before: Int,
    asked: Places,
    sizes: Sizes,
    queries: Floats,
    shares: Floats,
):
    """Computes ``height`` tokens' results of one head."""
    var row, seen = sizes.heads * sizes.size, 0
    var scale = 1 / sqrt(Float32(sizes.size))
    comptime for r in range(height):
        var token = Int(asked[unsafe_offset=r]) - before
        seen = max(seen, before + token + 1)
        for i in range(sizes.size):
            var number = new[unsafe_offset = 3 * token * row + i]
            queries[unsafe_offset = r * sizes.size + i] = number * scale
    panel(shares, queries, Plain[F32](keys), 0, height, 0, seen, seen, sizes.size)
    comptime for r in range(height):
        var end = Int(asked[unsafe_offset=r]) + 1
        softmax(shares.unsafe_offset(r * seen), end, seen)
    mix[height](y, row, shares, values, seen, sizes.size)


@always_inline
def mix[
    height: Int
](y: Floats, stride: Int, shares: Floats, values: Floats, seen: Int, size: Int):
    """Adds up the values ``[seen, D]``, each times its share ``[height, seen]``."""
    var column = 0
    comptime for width in [WIDE, LANES, 1]:
        while column + width <= size:
            var sums = Array[SIMD[F32, width], height](fill=0)
            for place in range(seen):
                var value = values.unsafe_load[width=width](place * size + column)
                comptime for r in range(height):
                    var share = shares[unsafe_offset = r * seen + place]
                    sums[r] = value.fma(share, sums[r])
            comptime for r in range(height):
                y.unsafe_store(r * stride + column, sums[r])
            column += width


@always_inline
def softmax(row: Floats, end: Int, seen: Int):
    """Turns the first ``end`` of ``seen`` scores into shares, and the others into 0."""
    var whole = end - end % LANES
    var highest = SIMD[F32, LANES](Float32.MIN_FINITE)
    for place in range(0, whole, LANES):
        highest = max(highest, row.unsafe_load[width=LANES](place))
    var top = highest.reduce_max()
    for place in range(whole, end):
        top = max(top, row[unsafe_offset=place])
    var sums = SIMD[F32, LANES](0)
    for place in range(0, whole, LANES):
        var scores = row.unsafe_load[width=LANES](place)
        var some = exp(scores - top)
        row.unsafe_store(place, some)
        sums += some + 0 * scores  # exp makes a number of NaN
    var total = sums.reduce_add()
    for place in range(whole, end):
        var score = row[unsafe_offset=place]
        var one = exp(score - top)
        row[unsafe_offset=place] = one
        total += one + 0 * score
    var part = 1 / total
    for place in range(end):
        row[unsafe_offset=place] *= part
    for place in range(end, seen):
        row[unsafe_offset=place] = 0
