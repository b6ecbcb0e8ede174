"""Measures products of a matrix: the encore's kernels, and many rows with NumPy."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.bandwidth import read_bandwidth
from benchmarks.machine import keep, machine
from tests.kernel_calls import aligned, known_kernels, numbers

HEAD = 50257, 768  # the largest matrix of the smallest GPT-2
ROW, TIMES = 3072, 300  # its longest row, in the first cache; products in a measurement
TEXTS = (1, 2, 4, 8, 16, 32, 64)  # rows of x
SQUARE = 2048  # a product in which no time goes to memory
ROUNDS = 15


def rates(
    calls: Mapping[str, Callable[[], object]], work: float
) -> dict[str, dict[str, float]]:
    """Calls everything in turns; returns work per second: median, lowest, highest."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(ROUNDS):
        for name, call in calls.items():
            call()  # threads of the call before may still run
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return {
        name: {
            "median": work / median(each),
            "low": work / max(each),
            "high": work / min(each),
        }
        for name, each in seconds.items()
    }


def row() -> dict[str, dict[str, float]]:
    """Measures one row in the cache with one core, in weights per second."""
    known, y = known_kernels(), aligned(numbers(1))
    arrays = y, aligned(numbers(ROW)), aligned(numbers(1, ROW))
    versions = {"plain": "no vectors", "one sum": "one sum", "several sums": ""}
    calls = {
        name: partial(known[version].dot, *arrays, TIMES)
        for name, version in versions.items()
    }
    return rates(calls, ROW * TIMES)


def product(w: np.ndarray) -> dict[str, dict[str, float]]:
    """Measures a product with one row, in bytes of weights per second."""
    known = known_kernels()
    arrays = np.zeros(len(w), np.float32), numbers(w.shape[1]), w
    calls = {
        "plain": partial(known[""].plain, *arrays),
        "one core": partial(known["one core"].matvec, *arrays),
        "all cores": partial(known[""].matvec, *arrays),
        "NumPy": partial(np.matmul, w, arrays[1], out=arrays[0]),
    }
    return rates(calls, w.nbytes)


def texts(w: np.ndarray) -> dict[str, dict[str, float]]:
    """Measures NumPy's product with some rows at once, in operations per second."""
    found: dict[str, dict[str, float]] = {}
    for count in TEXTS:
        x = numbers(count, w.shape[1])
        out = np.zeros((count, len(w)), np.float32)
        calls = {f"{count}": partial(np.matmul, x, w.T, out=out)}
        found |= rates(calls, 2 * count * w.size)
    return found


def most() -> float:
    """The operations per second of a product that stays in the caches."""
    a, b = numbers(SQUARE, SQUARE), numbers(SQUARE, SQUARE)
    calls = {"": partial(np.matmul, a, b)}
    return rates(calls, 2 * SQUARE**3)[""]["high"]


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
def main(out: Path | None) -> None:
    """Show how fast products of a matrix are."""
    w = aligned(numbers(*HEAD))
    result: dict[str, Any] = machine() | {
        "read_bytes_per_second": read_bandwidth(),
        "operations_per_second": most(),
        "row_weights_per_second": row(),
        "product_bytes_per_second": product(w),
        "texts_operations_per_second": texts(w),
    }
    table = Table("", "billions per second")
    for what, found in result.items():
        for name, rate in found.items() if isinstance(found, dict) else ():
            table.add_row(
                f"{what.partition('_')[0]} {name}", f"{rate['median'] / 1e9:.1f}"
            )
    table.add_row("reading", f"{result['read_bytes_per_second'] / 1e9:.1f}")
    table.add_row("operations", f"{result['operations_per_second'] / 1e9:.0f}")
    Console().print(table)
    if out:
        keep(result, out / "kernel.json")


if __name__ == "__main__":
    main()
