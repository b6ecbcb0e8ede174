"""Measures the parts of a token's time: ``python -m benchmarks.parts``.

One compiled graph cannot be timed in parts. So two models are timed in turns: GPT-2
124M, and GPT-2 with one layer. The difference is the time of eleven layers. A model
without a head would not help: the caches hold one layer's weights from token to token.
The memory's speed is measured in the same rounds.
"""

import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import click
import numpy as np
from max.driver import Buffer
from rich.console import Console
from rich.table import Table

from benchmarks.bandwidth import Memory
from benchmarks.decode import random_weights, spread
from benchmarks.machine import keep, machine
from benchmarks.report import shown
from gpt2.engine.engines import Engine
from gpt2.engine.precision import PRECISIONS, Precision, pack
from solutions.solution_01 import GPT2Config

WHOLE = GPT2Config()
MODELS = {"whole": WHOLE, "one layer": replace(WHOLE, n_layer=1)}
HEAD = "head, and the rest of the graph"
POSITIONS, TOKENS = (64, 900), 24

Key = tuple[Precision, int]  # of the weights, and the tokens before


def size(weights: dict[str, np.ndarray], precision: Precision) -> int:
    """The bytes of a model's weights in a precision, scales included."""
    return sum(map(bytes_of, pack(dict(weights), precision, 0).values()))


def bytes_of(array: np.ndarray | Buffer) -> int:
    if isinstance(array, np.ndarray):
        return array.nbytes
    return array.num_elements * array.dtype.size_in_bytes


class Timed:
    """A compiled graph that records the seconds of each call."""

    def __init__(self, graph) -> None:
        self.graph = graph
        self.seconds: list[float] = []

    def __call__(self, *inputs):
        start = time.perf_counter()
        result = self.graph(*inputs)
        self.seconds.append(time.perf_counter() - start)
        return result


def open_engine(config: GPT2Config, precision: Precision) -> Engine:
    """Opens an engine whose graph records its times."""
    weights = random_weights(config)
    engine = Engine(config, weights, precision=precision, on_compile=print)
    engine._model = Timed(engine._model)
    return engine


def token_times(engine: Engine, position: int) -> tuple[float, float]:
    """The median milliseconds of one token: in all, and inside the graph."""
    ids = np.random.default_rng(0).integers(0, 64, [1, position])
    engine.prefill(ids)
    whole = []
    engine._model.seconds.clear()
    for _ in range(TOKENS):
        start = time.perf_counter()
        engine.decode(ids[:, 0])
        whole.append(time.perf_counter() - start)
    return 1000 * median(whole), 1000 * median(engine._model.seconds)


def parts(times: dict[str, tuple[float, float]]) -> dict[str, float]:
    """The milliseconds of each part of a token, from the two models' times."""
    whole, inside = times["whole"]
    layer = times["one layer"][1]
    layers = (inside - layer) * WHOLE.n_layer / (WHOLE.n_layer - 1)
    return {
        "twelve layers": layers,
        HEAD: inside - layers,
        "outside the graph: copies, Python": whole - inside,
        "all": whole,
    }


def measure(rounds: int) -> tuple[dict[Key, list[dict[str, float]]], list[float]]:
    """The parts of each round, and the memory's bytes per second."""
    engines = {
        precision: {name: open_engine(c, precision) for name, c in MODELS.items()}
        for precision in PRECISIONS
    }
    found: dict[Key, list[dict[str, float]]] = {
        (precision, position): [] for precision in engines for position in POSITIONS
    }
    memory, speeds = Memory(), []
    for _ in range(rounds):
        for (precision, position), rows in found.items():
            own = engines[precision].items()
            rows.append(parts({name: token_times(e, position) for name, e in own}))
        speeds.append(memory.read())
    return found, speeds


def weight_bytes(precision: Precision) -> dict[str, int]:
    """The bytes of the matrices that a token reads, scales included."""
    weights = random_weights(MODELS["one layer"])
    layer = {name: array for name, array in weights.items() if ".h.0." in name}
    head = {name: array for name, array in weights.items() if "wte" in name}
    layers = WHOLE.n_layer * size(layer, precision)
    sizes = {"twelve layers": layers, HEAD: size(head, precision)}
    return sizes | {"all": sum(sizes.values())}


def row(precision: Precision, position: int, rounds: list[dict[str, float]]) -> dict:
    """The result for weights of one precision, at one position."""
    names = rounds[0]
    return {
        "precision": precision,
        "position": position,
        "milliseconds": {name: spread([one[name] for one in rounds]) for name in names},
        "weights_bytes": weight_bytes(precision),
    }


def table(rows: list[dict], bandwidth: float, position: int) -> Table:
    """The milliseconds of each part at one position, and the limit that memory sets."""
    heads = [text for one in PRECISIONS for text in (one, "its weights")]
    shown_parts = Table(f"ms per token at {position}", *heads)
    own = [row for row in rows if row["position"] == position]
    for name in own[0]["milliseconds"]:
        cells = []
        for one in own:
            read = one["weights_bytes"].get(name, 0)
            limit = f"{1000 * read / bandwidth:.2f}" if read else ""
            cells += [shown(one["milliseconds"][name], 2), limit]
        shown_parts.add_row(name, *cells)
    return shown_parts


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True)
def main(out: Path | None, rounds: int) -> None:
    """Show where the time of one token goes."""
    found, speeds = measure(rounds)
    rows, bandwidth = [row(*key, times) for key, times in found.items()], spread(speeds)
    console = Console()
    for position in POSITIONS:
        console.print(table(rows, bandwidth["median"], position))
    console.print(f"reading memory: {shown(bandwidth, 1, 1e9)} GB/s")
    if out:
        result = machine() | {"read_bytes_per_second": bandwidth, "rows": rows}
        keep(result, out / "parts.json")


if __name__ == "__main__":
    main()
