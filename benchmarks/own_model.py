"""Measures an uncompiled model: ``python -m benchmarks.own_model``.

The model is the embedded one, with the solutions as the learner's code. Two ways of
running it take turns: operations computed at once (``runtime/direct``), and MAX's graph
of every token (``COURSE_PLAIN_MAX=1``).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from statistics import median

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import keep, machine
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.decoding.generation import TokenEngine
from gpt2.learner.eager_engine import CachedEagerEngine, EagerEngine
from runtime.child_python import python_command
from runtime.children import run_child
from runtime.defaults import interpret_operations, silence_advice
from solutions import encore_kv_cache
from solutions.solution_13 import MaxGPT2LMHeadModel

LENGTHS, TOKENS = (60, 200), 8
WAYS = {"at once": "0", "graph of every token": "1"}
FIRST_TOKEN = """
import numpy as np
from runtime.defaults import interpret_operations
interpret_operations()
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.learner.eager_engine import EagerEngine
from solutions.solution_13 import MaxGPT2LMHeadModel
checkpoint = load_checkpoint("tiny-stories")
engine = EagerEngine(checkpoint.config, checkpoint.weights, MaxGPT2LMHeadModel)
engine.prefill(np.arange(10)[None])
"""


@contextmanager
def way(name: str) -> Iterator[None]:
    """Runs a block in one of the ``WAYS``."""
    os.environ["COURSE_PLAIN_MAX"] = WAYS[name]
    try:
        yield
    finally:
        del os.environ["COURSE_PLAIN_MAX"]


def open_engines() -> dict[str, TokenEngine]:
    """Opens the embedded model with and without the KV cache."""
    checkpoint = load_checkpoint("tiny-stories")
    given = checkpoint.config, checkpoint.weights
    return {
        "cache": CachedEagerEngine(*given, encore_kv_cache),
        "no cache": EagerEngine(*given, MaxGPT2LMHeadModel),
    }


def seconds_per_token(engine: TokenEngine, length: int) -> float:
    """Returns the median seconds of the last tokens of a text of this length."""
    ids = np.random.default_rng(0).integers(0, 2048, [1, length - TOKENS])
    engine.prefill(ids)
    seconds = []
    for token in range(TOKENS):
        start = time.perf_counter()
        engine.decode(np.array([token]))
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def seconds_to_first_token() -> float:
    """Returns the seconds from the start of a new process to its first token."""
    start = time.perf_counter()
    run_child(python_command(FIRST_TOKEN), env=dict(os.environ), check=True)
    return time.perf_counter() - start


def measure(rounds: int) -> dict[tuple[str, str, int], list[float]]:
    """Returns the tokens per second of each round, by engine, way and length."""
    engines = open_engines()
    rates: dict = {key: [] for key in product(engines, WAYS, LENGTHS)}
    for _ in range(rounds):
        for (engine, name, length), found in rates.items():
            with way(name):
                found.append(1 / seconds_per_token(engines[engine], length))
    return rates


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--rounds", default=5, show_default=True)
def main(out: Path | None, rounds: int) -> None:
    """Show the tokens per second of an uncompiled model, and the time to its first."""
    interpret_operations()
    silence_advice()
    rates = measure(rounds)
    first = [seconds_to_first_token() for _ in range(rounds)]
    table = Table("tokens per second", "", *(f"at {length}" for length in LENGTHS))
    for engine, name in product(("cache", "no cache"), WAYS):
        found = [rates[engine, name, length] for length in LENGTHS]
        table.add_row(
            engine,
            name,
            *(f"{median(r):.1f} ({min(r):.1f}–{max(r):.1f})" for r in found),
        )
    Console().print(table, f"first token of a new process: {median(first):.1f} s")
    if out:
        rows = [
            {
                "engine": engine,
                "way": name,
                "length": length,
                "tokens_per_second": found,
            }
            for (engine, name, length), found in rates.items()
        ]
        result = machine() | {"rows": rows, "seconds_to_first_token": first}
        keep(result, out / "own_model.json")


if __name__ == "__main__":
    main()
