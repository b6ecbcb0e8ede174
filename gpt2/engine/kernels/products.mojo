"""Products of rows: each sum runs along a row of x and a row of weights.

Shapes: M rows of x, N rows of weights, K numbers in each row.

One row of x needs each weight once: the memory's speed is the limit. Many rows of x
need each weight many times: the arithmetic is the limit. In between, the two times add
up, unless the next weights are on their way while the processor computes. ``fetch`` asks
for them.
"""

from max.algorithm import sync_parallelize
from std.collections import Array
from std.math import exp
from std.runtime import parallelism_level
from std.sys import simd_width_of, size_of
from std.sys.intrinsics import PrefetchOptions, prefetch

comptime F32 = DType.float32
comptime Numbers[dtype: DType] = Pointer[Scalar[dtype], MutUntrackedOrigin]
comptime Floats = Numbers[F32]
comptime MatVec = def(Floats, Floats, Floats, Int, Int) abi("C") thin -> None
comptime LANES = simd_width_of[F32]()  # numbers in a vector: 16, 8 or 4
comptime LINE = 64  # bytes that memory delivers together
comptime STEP = 64  # numbers of a row between two fetches
comptime TILE = 4  # rows of x, and rows of weights, that are multiplied together
comptime PANEL = 64  # rows of x that stay in a core's own cache
comptime SMALL = 2**19  # multiplications that one core does sooner than two


trait Rows(ImplicitlyCopyable):
    """Weights that lie row after row."""

    comptime LANES: Int
    """How many weights are read together for one row of x."""

    def read[width: Int](self, at: Int) -> SIMD[F32, width]:
        """Returns the weights from place ``at`` on."""
        ...

    def fetch(self, at: Int):
        """Asks the memory for ``STEP`` weights from place ``at`` on."""
        ...


@fieldwise_init
struct Plain[dtype: DType](Rows):
    """Weights in float32 or in bfloat16."""

    comptime LANES = LANES

    var weights: Numbers[Self.dtype]

    @always_inline
    def read[width: Int](self, at: Int) -> SIMD[F32, width]:
        return self.weights.unsafe_load[width=width](at).cast[F32]()

    @always_inline
    def fetch(self, at: Int):
        comptime per_line = LINE // size_of[Self.dtype]()
        comptime for start in range(0, STEP, per_line):
            ask(self.weights.unsafe_offset(at + start))


@fieldwise_init
struct Scaled(Rows):
    """Whole numbers from -127 to 127. Each 32 of a row share a scale."""

    comptime LANES = 32

    var weights: Numbers[DType.int8]
    var scales: Floats

    @always_inline
    def read[width: Int](self, at: Int) -> SIMD[F32, width]:
        var whole = self.weights.unsafe_load[width=width](at).cast[F32]()
        return whole * self.scales[unsafe_offset = at >> 5]

    @always_inline
    def fetch(self, at: Int):
        ask(self.weights.unsafe_offset(at))


@always_inline
def ask[dtype: DType, //](place: Numbers[dtype]):
    """Asks the memory for the line of a number, into the core's second cache."""
    prefetch[PrefetchOptions().for_read().medium_locality().to_data_cache()](place)


def project[
    W: Rows, //, gelu: Bool
](y: Floats, x: Floats, w: W, bias: Floats, rows: Int, outs: Int, k: Int):
    """Computes y[m, n] = sum over k of x[m, k] * w[n, k] + bias[n] on all cores.

    Each core takes its own range of the rows of weights. GELU may follow.
    """
    var parts = 1 if rows * outs * k < SMALL else parallelism_level()

    def part(index: Int) {imm}:
        var start, end = index * outs // parts, (index + 1) * outs // parts
        for top in range(0, rows, PANEL):
            var bottom = min(top + PANEL, rows)
            panel(y, x, w, top, bottom, start, end, outs, k)
            for row in range(top, bottom):
                finish[gelu](y.unsafe_offset(row * outs), bias, start, end)

    sync_parallelize(part, parts)


@always_inline
def panel[
    W: Rows, //
](
    y: Floats,
    x: Floats,
    w: W,
    top: Int,
    bottom: Int,
    start: Int,
    end: Int,
    outs: Int,
    k: Int,
):
    """Multiplies the rows of x from ``top`` to ``bottom`` by a range of weights."""
    var n = start
    if bottom - top > 1:
        while n + TILE <= end:
            strip[TILE](y, x, w, top, bottom, n, outs, k)
            n += TILE
    for rest in range(n, end):
        strip[1](y, x, w, top, bottom, rest, outs, k)


@always_inline
def strip[
    W: Rows, //, columns: Int
](y: Floats, x: Floats, w: W, top: Int, bottom: Int, n: Int, outs: Int, k: Int):
    """Multiplies the rows of x from ``top`` to ``bottom`` by some rows of weights."""
    var passes = (bottom - top + TILE - 1) // TILE
    for index in range(passes):
        var m = top + index * TILE
        comptime for height in range(1, TILE + 1):
            if min(bottom - m, TILE) == height:
                tile[height, columns](y, x, w, m, n, outs, k, index, passes)


@always_inline
def tile[
    W: Rows, //, height: Int, columns: Int
](
    y: Floats,
    x: Floats,
    w: W,
    m: Int,
    n: Int,
    outs: Int,
    k: Int,
    index: Int,
    passes: Int,
):
    """Computes height x columns numbers of y.

    The sums are vectors, which stay in registers. A multiplication with addition takes
    several cycles, so a single sum would wait for itself: one column has four sums for
    each row. The passes over the same weights share the fetching of the next weights.
    """
    comptime lanes = W.LANES if columns == 1 else LANES
    comptime chains = 4 if columns == 1 else 1
    var sums = Array[SIMD[F32, lanes], height * columns * chains](fill=0)
    var here, next = n * k, (n + columns) * k

    @always_inline
    def add[chain: Int](j: Int) {mut sums, imm}:
        comptime for c in range(columns):
            var weights = w.read[lanes](here + c * k + j)
            comptime for r in range(height):
                comptime at = (r * columns + c) * chains + chain
                var numbers = x.unsafe_load[width = lanes]((m + r) * k + j)
                sums[at] = weights.fma(numbers, sums[at])

    var j = 0
    while j + STEP <= k:
        comptime for c in range(columns):
            if columns > 1 and c % passes == index:
                w.fetch(next + j * columns + c * STEP)
        comptime for part in range(STEP // lanes):
            add[part % chains](j + part * lanes)
        j += STEP
    while j + lanes <= k:
        add[0](j)
        j += lanes
    comptime for r in range(height):
        comptime for c in range(columns):
            comptime first = (r * columns + c) * chains
            var sum = sums[first]
            comptime for chain in range(1, chains):
                sum += sums[first + chain]
            var total = sum.reduce_add()
            for rest in range(j, k):
                var number = x[unsafe_offset = (m + r) * k + rest]
                total += number * w.read[1](here + c * k + rest)
            y[unsafe_offset = (m + r) * outs + n + c] = total


@always_inline
def finish[gelu: Bool](row: Floats, bias: Floats, start: Int, end: Int):
    """Adds the bias to a part of a row, and maybe applies GELU."""
    var i = start
    comptime for width in [LANES, 1]:
        while i + width <= end:
            var sum = row.unsafe_load[width=width](i) + bias.unsafe_load[width=width](i)
            comptime if gelu:
                sum = gelu_of(sum)
            row.unsafe_store(i, sum)
            i += width


@always_inline
def gelu_of[width: Int, //](x: SIMD[F32, width]) -> SIMD[F32, width]:
    """Computes GELU's tanh form: (1 + tanh u) / 2 = 1 / (1 + exp(-2u)).

    Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units", section 2.
    """
    comptime sqrt_8_over_pi = 1.5957691216057308
    return x / (1 + exp(-sqrt_8_over_pi * (x + 0.044715 * x * x * x)))


def project_by[
    gelu: Bool
](address: Int, y: Floats, x: Floats, w: Floats, bias: Floats, outs: Int, k: Int):
    """Does what ``project`` does for one row of x, whose sums come from a function."""
    var place = address
    var function = Pointer(to=place).unsafe_bitcast[MatVec]()[]
    function(y, x, w, outs, k)
    finish[gelu](y, bias, 0, outs)
