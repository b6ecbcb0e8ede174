"""Measures one operation beside its work: ``python -m benchmarks.operations``.

The operations have 64 numbers, so their work takes nearly no time. Three ways take
turns: an operation of a compiled graph, one that ``runtime/direct`` computes at once,
and one that MAX's interpreter computes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import numpy as np
from max.driver import CPU, Buffer
from max.dtype import DType
from max.experimental.nn import Module
from max.experimental.tensor import Tensor
from max.graph import TensorType
from rich.console import Console
from rich.table import Table

from benchmarks.decode import spread
from benchmarks.machine import keep, machine
from benchmarks.report import shown
from gpt2.engine.compiling import compile_model
from gpt2.engine.kernel_operations import KERNELS, KernelOperations
from runtime.defaults import interpret_operations, on_the_cpu
from runtime.direct.operations import direct_operations
from solutions.solution_01 import GPT2Config
from solutions.solution_03 import LayerNorm

CHANNELS, SHORT, LONG = 64, 8, 72  # operations in the two graphs
CALLS = 100


class Chain(Module):
    """One layer normalization after the other, by our kernel."""

    def __init__(self, length: int, config: GPT2Config) -> None:
        self.length, self.norm = length, LayerNorm(CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes ``[B, T, C]`` so many times."""
        for _ in range(self.length):
            x = KernelOperations("float32").normalize(x, self.norm)
        return x


def graph(length: int) -> Callable[[], object]:
    """A call of a compiled chain."""
    ones = np.ones(CHANNELS, dtype=np.float32)
    weights = {"norm.weight": ones, "norm.bias": ones}
    kind = TensorType(DType.float32, ["batch", "seq", CHANNELS], device=CPU())
    build = partial(Chain, length)
    compiled = compile_model(build, GPT2Config(), weights, [kind], CPU(), [KERNELS])
    model, x = compiled.engine_model, Buffer.from_numpy(ones.reshape(1, 1, CHANNELS))
    return lambda: model(x)


def microseconds(call: Callable[[], object]) -> float:
    """The time of one call, the mean of many."""
    start = time.perf_counter()
    for _ in range(CALLS):
        call()
    return 1e6 * (time.perf_counter() - start) / CALLS


@contextmanager
def adding(context: Callable) -> Iterator[Callable[[], object]]:
    """Lends a call that adds two tensors, inside a context."""
    with context():
        x = Tensor(np.ones(CHANNELS, dtype=np.float32).tolist())
        yield lambda: (x + x).to_numpy()


def measure(rounds: int) -> dict[str, list[float]]:
    """The microseconds of one operation in each round, by way."""
    short, long = graph(SHORT), graph(LONG)
    found: dict[str, list[float]] = {"compiled": [], "at once": [], "interpreted": []}
    for turn in range(rounds + 1):  # the first warms up
        step = (microseconds(long) - microseconds(short)) / (LONG - SHORT)
        with adding(direct_operations) as add:
            at_once = microseconds(add)
        with adding(on_the_cpu) as add:
            interpreted = microseconds(add)
        if turn:
            for values, time_ in zip(
                found.values(), (step, at_once, interpreted), strict=True
            ):
                values.append(time_)
    return found


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--rounds", type=click.IntRange(1), default=9, show_default=True)
def main(out: Path | None, rounds: int) -> None:
    """Show the microseconds of one small operation."""
    interpret_operations()
    found = {way: spread(times) for way, times in measure(rounds).items()}
    table = Table("an operation", "microseconds")
    for way, times in found.items():
        table.add_row(way, shown(times))
    Console().print(table)
    if out:
        keep(machine() | {"microseconds": found}, out / "operations.json")


if __name__ == "__main__":
    main()
