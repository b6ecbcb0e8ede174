"""Measures compiling on a new machine: ``python -m benchmarks.compiling``.

Each graph is compiled in a process of its own, with an empty cache. The small graphs
have one operation each, and show what MAX's operations add to a graph's time.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from max.driver import CPU
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import Tensor
from max.graph import TensorType
from rich.console import Console
from rich.table import Table

from benchmarks.decode import spread
from benchmarks.machine import keep, machine
from benchmarks.report import shown
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.engine.compiling import compile_model, compile_with_kernels, compile_with_max
from gpt2.engine.kernel_operations import KERNELS, KernelOperations
from gpt2.engine.precision import pack
from runtime.child_python import ROOT
from runtime.children import run_child
from solutions.solution_01 import GPT2Config

SIZE = 64


class Small(Module):
    """A graph of one operation of MAX, or of none."""

    def __init__(self, operation: str) -> None:
        self.operation, self.weight = operation, Tensor.zeros([SIZE, SIZE])

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``[N, 64]`` to ``[N, 64]``."""
        row = self.weight[0]
        operations = {
            "a sum": lambda: x + row,
            "MAX's product": lambda: x @ self.weight.T,
            "MAX's argmax and gather": lambda: F.gather(
                x, Tensor([1, 0], dtype=DType.int64), axis=0
            ),
            "MAX's layer norm": lambda: F.layer_norm(x, row, row, 1e-5),
            "MAX's GELU": lambda: F.gelu(x, approximate="tanh"),
        }
        return operations[self.operation]()


class OneProduct(Module):
    """A graph of our product alone."""

    def __init__(self, config: GPT2Config) -> None:
        self.operations = KernelOperations("float32")
        self.weight, self.bias = Tensor.zeros([SIZE, SIZE]), Tensor.zeros([SIZE])
        self.operations.prepare(self)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``[N, 64]`` to ``[N, 64]``."""
        return self.operations.project(x, self, gelu=False)


SMALL = (
    "a sum",
    "MAX's product",
    "MAX's argmax and gather",
    "MAX's layer norm",
    "MAX's GELU",
)
OUR_PRODUCT, KERNEL_MODEL, MAX_MODEL = (
    "our product",
    "the model, our kernels",
    "the model, MAX's operations",
)
GRAPHS = (*SMALL, OUR_PRODUCT, KERNEL_MODEL, MAX_MODEL)


def compile_graph(name: str) -> None:
    """Compiles one of the ``GRAPHS``."""
    checkpoint, device = load_checkpoint("tiny-stories"), CPU()
    config, weights = checkpoint.config, dict(checkpoint.weights)
    if name == KERNEL_MODEL:
        compile_with_kernels(config, pack(weights, "float32", 0), "float32")
    elif name == MAX_MODEL:
        compile_with_max(config, weights, device)
    else:
        kind = TensorType(DType.float32, ["rows", SIZE], device=device)
        square = np.zeros([SIZE, SIZE], dtype=np.float32)
        if name in SMALL:
            given, kernels = {"weight": square}, []
            build = lambda config: Small(name)  # noqa: E731
        else:
            given = {"weight": square, "bias": square[0]}
            given, kernels, build = pack(given, "float32", 0), [KERNELS], OneProduct
        compile_model(build, config, given, [kind], device, kernels)


def cold_seconds(name: str) -> float:
    """The seconds to compile a graph in a new process, with an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        places = {"MODULAR_CACHE_DIR": cache, "MODULAR_MAX_CACHE_DIR": cache}
        command = [sys.executable, "-m", "benchmarks.compiling", "--graph", name]
        options = {"cwd": ROOT, "env": os.environ | places, "check": True}
        done = run_child(command, **options, capture_output=True, text=True)
    return float(done.stdout)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--graph", type=click.Choice(GRAPHS), hidden=True)
def main(out: Path | None, rounds: int, graph: str | None) -> None:
    """Show the seconds that MAX's compiler takes for a graph on a new machine."""
    if graph:
        start = time.perf_counter()
        compile_graph(graph)
        print(time.perf_counter() - start)
        return
    found: dict[str, list[float]] = {name: [] for name in GRAPHS}
    console = Console()
    for _ in range(rounds):
        for name, seconds in found.items():
            seconds.append(cold_seconds(name))
            console.print(f"{name}: {seconds[-1]:.1f} s")
    rows = {name: spread(seconds) for name, seconds in found.items()}
    table = Table("graph", "seconds")
    for name, times in rows.items():
        table.add_row(name, shown(times))
    console.print(table)
    if out:
        keep(machine() | {"seconds": rows}, out / "compiling.json")


if __name__ == "__main__":
    main()
