"""Measures the parts of a token's time: ``python -m benchmarks.parts``.

One compiled graph cannot be timed in parts. So three models are timed in turns: GPT-2
124M, GPT-2 with one layer, and GPT-2 with one layer and a vocabulary of 64. The
differences are the times of the missing parts.
"""

import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.bandwidth import read_bandwidth
from benchmarks.decode import random_weights
from benchmarks.machine import keep, machine
from gpt2.engine.engines import Engine
from solutions.solution_01 import GPT2Config

WHOLE = GPT2Config()
MODELS = {
    "whole": WHOLE,
    "one layer": replace(WHOLE, n_layer=1),
    "one layer, no head": replace(WHOLE, n_layer=1, vocab_size=64),
}
POSITIONS, TOKENS = (64, 900), 24


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


def measure(rounds: int) -> dict[tuple[str, int], tuple[float, float]]:
    """The medians of ``token_times``, by model and position."""
    engines = {}
    for name, config in MODELS.items():
        engines[name] = Engine(config, random_weights(config), on_compile=print)
        engines[name]._model = Timed(engines[name]._model)
    found: dict[tuple[str, int], list[tuple[float, float]]] = {
        (name, position): [] for name in MODELS for position in POSITIONS
    }
    for _ in range(rounds):
        for (name, position), times in found.items():
            times.append(token_times(engines[name], position))
    return {key: tuple(np.median(times, axis=0)) for key, times in found.items()}


def parts(times: dict, position: int) -> dict[str, float]:
    """The milliseconds of each part of a token at this position."""
    whole, inside = times["whole", position]
    layer = times["one layer", position][1]
    layers = (inside - layer) * WHOLE.n_layer / (WHOLE.n_layer - 1)
    head = layer - times["one layer, no head", position][1]
    return {
        "twelve layers": layers,
        "head": head,
        "rest of the graph": inside - layers - head,
        "outside the graph: copies, Python": whole - inside,
        "all": whole,
    }


def floors(bandwidth: float) -> dict[str, float]:
    """The milliseconds to read each part's weights at this bandwidth."""
    layer = sum(
        array.nbytes
        for name, array in random_weights(MODELS["one layer, no head"]).items()
        if ".h.0." in name
    )
    layers = WHOLE.n_layer * layer
    head = 4 * WHOLE.vocab_size * WHOLE.n_embd
    sizes = {"twelve layers": layers, "head": head, "all": layers + head}
    return {name: 1000 * size / bandwidth for name, size in sizes.items()}


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--rounds", default=5, show_default=True)
def main(out: Path | None, rounds: int) -> None:
    """Show where the time of one token goes."""
    times, bandwidth = measure(rounds), read_bandwidth()
    by_position = {position: parts(times, position) for position in POSITIONS}
    floor = floors(bandwidth)
    table = Table("ms per token", *(f"at {p}" for p in POSITIONS), "weights alone")
    for name in by_position[POSITIONS[0]]:
        shown = [f"{by_position[p][name]:.1f}" for p in POSITIONS]
        table.add_row(name, *shown, f"{floor[name]:.1f}" if name in floor else "")
    Console().print(table, f"reading memory: {bandwidth / 1e9:.1f} GB/s")
    if out:
        result = machine() | {
            "read_bytes_per_second": bandwidth,
            "milliseconds": {str(p): values for p, values in by_position.items()},
            "floor_milliseconds": floor,
        }
        keep(result, out / "parts.json")


if __name__ == "__main__":
    main()
