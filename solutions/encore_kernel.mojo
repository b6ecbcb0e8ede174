"""Encore: a kernel in Mojo, the product y = W x at the speed of the memory."""

from max.algorithm import sync_parallelize
from std.runtime import parallelism_level
from std.sys.info import simd_width_of

comptime Ptr = Pointer[Float32, MutUnsafeAnyOrigin]
comptime WIDTH = 4 * simd_width_of[DType.float32]()  # four registers of sums


def plain(y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int) raises:
    """Computes y = W x with two loops, one number after the other.

    Args:
        y: `[outs]`, where the result goes, whatever is there now.
        x: `[ins]`.
        w: `[outs, ins]`, row after row.
        outs: How many rows W has.
        ins: How many numbers a row has, perhaps 0.
    """
    for i in range(outs):
        var sum: Float32 = 0
        for j in range(ins):
            sum += w[unsafe_offset = i * ins + j] * x[unsafe_offset=j]
        y[unsafe_offset=i] = sum


def dot(row: Ptr, x: Ptr, size: Int) raises -> Float32:
    """Computes one row's sum of products with SIMD and several sums.

    Args:
        row: `[size]`.
        x: `[size]`.
        size: Any size from 0 on, also one below `WIDTH`.

    Returns:
        The sum of `row[j] * x[j]`. Its last digits depend on the order of the sums.
    """
    var whole = size - size % WIDTH
    var sums = SIMD[DType.float32, WIDTH](0)
    for j in range(0, whole, WIDTH):
        var some = row.unsafe_load[width=WIDTH](j)
        sums = some.fma(x.unsafe_load[width=WIDTH](j), sums)
    var sum = sums.reduce_add()
    for j in range(whole, size):
        sum += row[unsafe_offset=j] * x[unsafe_offset=j]
    return sum


def matvec(y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int) raises:
    """Computes y = W x on all cores; takes what `plain` takes.

    Each core computes neighbouring rows. So it reads one piece of W from its beginning
    to its end, and no other core writes to its part of y.
    """
    var parts = parallelism_level()

    def part(p: Int) raises {imm}:
        for i in range(p * outs // parts, (p + 1) * outs // parts):
            y[unsafe_offset=i] = dot(w.unsafe_offset(i * ins), x, ins)

    sync_parallelize(part, parts)
