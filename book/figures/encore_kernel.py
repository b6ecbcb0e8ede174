"""The figure and the numbers of the encore on a kernel. One file holds measurements."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.kernel import HEAD, ROW
from benchmarks.machine import described
from book.figures import style
from book.figures._measured import result

FLOAT32 = 4  # bytes
GIGA = 1e9


def bandwidth() -> float:
    """The bytes per second that all cores read together, in billions."""
    return result("kernel")["read_bytes_per_second"] / GIGA


def peak() -> float:
    """The operations per second of all cores, in billions."""
    return result("kernel")["operations_per_second"] / GIGA


def figures() -> dict[str, Figure]:
    return {"roofline": roofline()}


def roofline() -> Figure:
    """Draws operations per second by operations per byte, below the two limits."""
    figure, axes = style.chart(320, width=470)
    measured = result("kernel")["texts_operations_per_second"]
    counts = [int(name) for name in measured]
    dense = [2 * count / FLOAT32 for count in counts]
    medians = [rate["median"] / GIGA for rate in measured.values()]
    limit = np.array([dense[0] / 1.5, peak() / bandwidth(), dense[-1] * 1.5])
    roof = np.minimum(limit * bandwidth(), peak())
    axes.plot(limit, roof, color=style.MUTED, label="the two limits")
    axes.plot(dense, medians, "o", color=style.BLUE, label="NumPy, rows of x")
    for x, y, count in zip(dense, medians, counts, strict=True):
        axes.annotate(f"{count}", (x, y), (0, -16), textcoords="offset points")
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel="operations per byte", ylabel="billion operations per second")
    ticks = [0.5, 1, 2, 4, 8, 16, 32]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([10, 20, 50, 100, 200], ["10", "20", "50", "100", "200"])
    axes.minorticks_off()
    axes.grid(axis="y")
    axes.legend(loc="upper left")
    return figure


def numbers() -> dict[str, str | list]:
    row = result("kernel")["row_weights_per_second"]
    outs, ins = HEAD
    return {
        "machine": described(result("kernel")),
        "bandwidth": f"{bandwidth():.0f}",
        "peak": f"{peak():.0f}",
        "balance": f"{peak() / bandwidth():.0f}",
        "rows_at_balance": f"{peak() / bandwidth() * FLOAT32 / 2:.0f}",
        "outs": f"{outs:,}",
        "ins": f"{ins}",
        "row": f"{ROW:,}",
        "megabytes": f"{outs * ins * FLOAT32 / 1e6:.0f} MB",
        "in_cache": in_cache(),
        "products": products(),
        "gain": f"{rate(row, 'several sums') / rate(row, 'one sum'):.1f}",
        "vectors_gain": f"{rate(row, 'one sum') / rate(row, 'plain'):.0f}",
    }


def rate(found: dict[str, Any], name: str) -> float:
    """A median, in billions per second."""
    return found[name]["median"] / GIGA


def in_cache() -> list[list[str]]:
    """A table of one row's rates in the first cache, on one core."""
    found = result("kernel")["row_weights_per_second"]
    rows = [[name, f"{rate(found, name):.1f}"] for name in found]
    return [["one row, one core", "weights per nanosecond"], *rows]


def products() -> list[list[str]]:
    """A table of the rates of a whole product, and their share of the limit."""
    found = result("kernel")["product_bytes_per_second"]
    rows = [["product", "GB/s", "lowest to highest", "of the limit"]]
    for name, each in found.items():
        low, high = (each[end] / GIGA for end in ("low", "high"))
        share = f"{rate(found, name) / bandwidth():.0%}".replace("%", " %")
        rows.append(
            [name, f"{rate(found, name):.1f}", f"{low:.1f} to {high:.1f}", share]
        )
    return rows
