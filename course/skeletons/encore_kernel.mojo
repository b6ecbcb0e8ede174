"""Encore: a kernel in Mojo, the product y = W x at the speed of the memory.

A kernel is a function that computes one operation on the processor. For one new token,
nearly all work of the model is one operation: a matrix of weights times one row of
numbers. You write it three times, each time faster:

    plain     two loops, one number after the other
    dot       one row with SIMD: many numbers in one instruction, in several sums
    matvec    all rows, on all cores, each row with dot

    W [outs, ins], x [ins] -> y [outs],  y[i] = sum over j of W[i, j] * x[j]

W lies in memory row after row: number j of row i is at place i * ins + j.

Mojo checks nothing here: `p[unsafe_offset=k]` reads or writes place k of p, whatever is
there. A place outside an array belongs to something else.

    p[unsafe_offset=k]               one number, to read or to write
    p.unsafe_offset(k)               a pointer to place k
    p.unsafe_load[width=WIDTH](k)    WIDTH numbers from place k on

The traps: the last numbers of a row that do not fill a vector; y holds anything before
you write to it; and two cores must not write to one place.

Look up: `SIMD` (its methods `fma` and `reduce_add`), `range` (it takes a step),
`sync_parallelize`, `parallelism_level`.
Check with `pixi run kernel` or `uv run kernel`.
"""

from max.algorithm import sync_parallelize
from std.runtime import parallelism_level
from std.sys.info import simd_width_of

comptime Ptr = Pointer[Float32, MutUnsafeAnyOrigin]
comptime WIDTH = simd_width_of[DType.float32]()  # the numbers in one register: a start


def plain(y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int) raises:
    """Computes y = W x with two loops, one number after the other.

    Args:
        y: `[outs]`, where the result goes, whatever is there now.
        x: `[ins]`.
        w: `[outs, ins]`, row after row.
        outs: How many rows W has.
        ins: How many numbers a row has, perhaps 0.
    """
    # For each row: a sum of type Float32 that starts at zero. Mojo has no += for a
    # variable without a type, so declare it: var name: Float32 = ...

    # Add the products of the row's numbers with those of x, then write the sum to y.

    raise Error("to do: Write the sum of each row's products to y.")


def dot(row: Ptr, x: Ptr, size: Int) raises -> Float32:
    """Computes one row's sum of products with SIMD and several sums.

    Args:
        row: `[size]`.
        x: `[size]`.
        size: Any size from 0 on, also one below `WIDTH`.

    Returns:
        The sum of `row[j] * x[j]`. Its last digits depend on the order of the sums.
    """
    # A vector of WIDTH sums, zero at first: SIMD[DType.float32, WIDTH](0)

    # In steps of WIDTH: load WIDTH numbers of the row and of x, multiply them and add
    # the products to the sums, lane by lane. Stop before a step would leave the row.

    # One number of the WIDTH sums. Then the products that filled no vector.

    # It is right now. For the speed: an addition waits for the one before it, if both
    # go to one register. A vector of several registers has several sums. See WIDTH.

    raise Error("to do: Return the sum of the row's products, computed with SIMD.")


def matvec(y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int) raises:
    """Computes y = W x on all cores; takes what `plain` takes.

    Each core computes neighbouring rows. So it reads one piece of W from its beginning
    to its end, and no other core writes to its part of y.
    """
    # As many parts as there are cores. Part p has the rows from one border up to the
    # next; the borders have to work for any number of rows, also for fewer than cores.

    # A function inside this one computes part p. Its line says what it may use:
    #     def part(p: Int) raises {imm}:

    # Run it for every part, on all cores at once.

    raise Error("to do: Compute the rows on all cores, each with dot.")
