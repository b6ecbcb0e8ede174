"""What happens to each token's row alone: looking it up, and normalizing it.

Shapes: N tokens, C channels.
"""

from max.algorithm import sync_parallelize
from std.math import sqrt
from std.runtime import parallelism_level

from .products import F32, Floats, LANES, Numbers, Rows, SMALL

comptime Ids = Numbers[DType.int64]


def embed[
    W: Rows, //
](
    y: Floats,
    ids: Ids,
    positions: Ids,
    tokens: W,
    places: Floats,
    count: Int,
    channels: Int,
):
    """Computes y[n, c] = tokens[ids[n], c] + places[positions[n], c]."""
    for n in range(count):
        var token = Int(ids[unsafe_offset=n]) * channels
        var place = Int(positions[unsafe_offset=n]) * channels
        for c in range(channels):
            var sum = tokens.read[1](token + c) + places[unsafe_offset = place + c]
            y[unsafe_offset = n * channels + c] = sum


def normalize(
    y: Floats,
    x: Floats,
    weight: Floats,
    bias: Floats,
    epsilon: Float32,
    count: Int,
    channels: Int,
):
    """Computes y = (x - mean) / sqrt(variance + epsilon) * weight + bias for each row.

    Source: Ba et al. 2016, "Layer Normalization", section 3.
    """
    var parts = 1 if count * channels < SMALL // 8 else parallelism_level()

    def part(index: Int) {imm}:
        for n in range(index * count // parts, (index + 1) * count // parts):
            var row = x.unsafe_offset(n * channels)
            var mean = add_up(row, channels, 0, 1) / Float32(channels)
            var variance = add_up(row, channels, mean, 2) / Float32(channels)
            var scale = 1 / sqrt(variance + epsilon)
            for c in range(channels):
                var centred = (row[unsafe_offset=c] - mean) * scale
                var scaled = centred * weight[unsafe_offset=c] + bias[unsafe_offset=c]
                y[unsafe_offset = n * channels + c] = scaled

    sync_parallelize(part, parts)


@always_inline
def add_up(row: Floats, channels: Int, mean: Float32, power: Int) -> Float32:
    """Adds up (x - mean) to the power of 1 or 2 over a row."""
    var sums, c = SIMD[F32, LANES](0), 0
    while c + LANES <= channels:
        var some = row.unsafe_load[width=LANES](c) - mean
        sums += some if power == 1 else some * some
        c += LANES
    var sum = sums.reduce_add()
    for rest in range(c, channels):
        var one = row[unsafe_offset=rest] - mean
        sum += one if power == 1 else one * one
    return sum
