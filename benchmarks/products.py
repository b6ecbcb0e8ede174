"""Measures one product, row by row of x: ``python -m benchmarks.products``.

The weights are GPT-2's head, ``[50257, 768]``. Four ways take turns: our kernel, our
kernel without fetching ahead, MAX's own product, and NumPy's. The memory and the
arithmetic of the processor are measured in the same rounds: they are the limits.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import numpy as np
from max.driver import CPU, Buffer
from max.dtype import DType
from max.experimental.nn import Linear, Module
from max.experimental.tensor import Tensor
from max.graph import TensorType
from rich.console import Console
from rich.table import Table

from benchmarks.bandwidth import Memory
from benchmarks.decode import spread
from benchmarks.machine import keep, machine
from benchmarks.report import shown
from gpt2.engine.compiling import compile_model
from gpt2.engine.kernel_operations import KERNELS, KernelOperations
from gpt2.engine.max_operations import MaxOperations
from gpt2.engine.operations import Operations, Projection
from gpt2.engine.precision import PRECISIONS, Precision, pack
from solutions.solution_01 import GPT2Config

OUTS, CHANNELS = 50257, 768
ROWS = (1, 2, 4, 8, 16, 32, 64)
SQUARE = 1536  # of NumPy's product, which shows what the arithmetic can do
CALLS = 3  # of each way in a round; the fastest counts
REST = 0.1  # seconds: the threads of the library before still spin for a while
OURS, NO_FETCH, MAX, NUMPY = "ours", "ours, no fetching", "MAX", "NumPy"
FETCH = "    prefetch[PrefetchOptions().for_read().medium_locality().to_data_cache()]"

Multiply = Callable[[np.ndarray], np.ndarray]


class Product(Module):
    """A linear layer alone."""

    def __init__(self, operations: Operations, config: GPT2Config) -> None:
        self.operations, self.layer = operations, Linear(CHANNELS, OUTS)
        self.layer.__class__ = Projection
        operations.prepare(self.layer)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``[N, in]`` to ``[N, out]``."""
        return self.operations.project(x, self.layer, gelu=False)


def compiled(operations: Operations, weights: dict, kernels: list[Path]) -> Multiply:
    """The product of a compiled graph."""
    kind = TensorType(DType.float32, ["rows", CHANNELS], device=CPU())
    build = partial(Product, operations)
    graph = compile_model(build, GPT2Config(), weights, [kind], CPU(), kernels)
    model = graph.engine_model
    return lambda x: model(Buffer.from_numpy(x))[0].to_numpy()


def ours(weight: np.ndarray, precision: Precision, kernels: Path = KERNELS) -> Multiply:
    """The product of our kernel, with weights of a precision."""
    bias = np.zeros(OUTS, dtype=np.float32)
    weights = pack({"layer.weight": weight, "layer.bias": bias}, precision, 0)
    return compiled(KernelOperations(precision), weights, [kernels])


def without_fetching(folder: str) -> Path:
    """Copies our kernels, and lets their function ``ask`` do nothing."""
    kernels = Path(shutil.copytree(KERNELS, Path(folder, "kernels")))
    products = kernels / "products.mojo"
    text = products.read_text(encoding="utf-8")
    assert text.count(FETCH) == 1, "the kernels fetch in another way now"
    products.write_text(text.replace(f"{FETCH}(place)", "    pass"), encoding="utf-8")
    return kernels


def ways(weight: np.ndarray) -> dict[tuple[str, str], Multiply]:
    """All ways to multiply, by name and precision of the weights."""
    bias = np.zeros(OUTS, dtype=np.float32)
    plain = {"layer.weight": weight, "layer.bias": bias}
    with tempfile.TemporaryDirectory() as folder:
        no_fetch = ours(weight, "float32", without_fetching(folder))
    return {(OURS, precision): ours(weight, precision) for precision in PRECISIONS} | {
        (NO_FETCH, "float32"): no_fetch,
        (MAX, "float32"): compiled(MaxOperations(GPT2Config(), CPU()), plain, []),
        (NUMPY, "float32"): lambda x: x @ weight.T,
    }


def seconds(call: Callable[[], object]) -> float:
    """The shortest time of some calls."""
    time.sleep(REST)
    times = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(rounds: int) -> dict:
    """All figures; the ways take turns in each round, after one that warms up."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal([OUTS, CHANNELS], dtype=np.float32) * 0.02
    inputs = {rows: rng.standard_normal([rows, CHANNELS], np.float32) for rows in ROWS}
    square = rng.standard_normal([SQUARE, SQUARE], np.float32)
    found, memory = ways(weight), Memory()
    for (name, precision), multiply in found.items():
        check(multiply, weight, inputs[ROWS[-1]], f"{name}, {precision}")
    # The ways to multiply the same rows follow each other: a busy moment meets all.
    times: dict = {(*way, rows): [] for rows in ROWS for way in found}
    read, arithmetic = [], []
    for turn in range(rounds + 1):
        for (name, precision, rows), all_times in times.items():
            call = partial(found[name, precision], inputs[rows])
            all_times += [1000 * seconds(call)] if turn else []
        read.append(memory.read())
        arithmetic.append(2 * SQUARE**3 / seconds(lambda: square @ square))
    return {
        "outs": OUTS,
        "channels": CHANNELS,
        "read_bytes_per_second": spread(read),
        "operations_per_second": spread(arithmetic),
        "rows": [
            {
                "name": name,
                "precision": precision,
                "rows": rows,
                "milliseconds": spread(values),
            }
            for (name, precision, rows), values in times.items()
        ],
    }


def check(multiply: Multiply, weight: np.ndarray, x: np.ndarray, name: str) -> None:
    """Refuses to time a product that is wrong; smaller weights may be a little off."""
    error = np.abs(multiply(x) - x @ weight.T).max()
    limit = 1e-4 if name.endswith("float32") else 0.1
    assert error < limit, f"{name} is wrong by {error}"


def table(result: dict) -> Table:
    """The milliseconds, a line for each number of rows."""
    lines: dict[int, list[str]] = {rows: [f"{rows}"] for rows in ROWS}
    heads = {(row["name"], row["precision"]): None for row in result["rows"]}
    for row in result["rows"]:
        lines[row["rows"]].append(shown(row["milliseconds"]))
    shown_times = Table("rows", *(f"{name}, {kind}" for name, kind in heads))
    for cells in lines.values():
        shown_times.add_row(*cells)
    return shown_times


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--rounds", type=click.IntRange(1), default=9, show_default=True)
def main(out: Path | None, rounds: int) -> None:
    """Show the milliseconds of one product, for several rows of x."""
    result = machine() | measure(rounds)
    console = Console()
    console.print(table(result))
    console.print(f"memory: {shown(result['read_bytes_per_second'], 1, 1e9)} GB/s")
    speed = shown(result["operations_per_second"], 0, 1e9)
    console.print(f"arithmetic: {speed} billion operations a second")
    if out:
        keep(result, out / "products.json")


if __name__ == "__main__":
    main()
