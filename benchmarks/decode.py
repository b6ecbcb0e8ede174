"""Measures generation: ``python -m benchmarks.decode``.

The peers are our engine with and without a cache, plain NumPy, and transformers on
torch. All have the same random GPT-2 124M in float32. One runs while the others wait.
"""

import tempfile
from pathlib import Path
from statistics import median

import click
import numpy as np
from max.experimental import functional as F
from rich.console import Console

from benchmarks.bandwidth import read_bandwidth
from benchmarks.machine import keep, machine
from benchmarks.peers import Ours, Peer, Plain, Torch, save
from benchmarks.report import plot, tables
from gpt2.engine.engines import Engine, RecomputingEngine
from solutions.solution_01 import GPT2Config
from solutions.solution_13 import MaxGPT2LMHeadModel

PROMPT, NEW, NEW_SLOW = 64, 128, 4
BATCHES, POSITIONS, ALONE, PREFILL = (1, 8, 32), (64, 256, 512, 900), 16, 512


def random_weights(config: GPT2Config) -> dict[str, np.ndarray]:
    """GPT-2's initial weights: normal with deviation 0.02, norms with 1 and 0."""
    with F.lazy():
        parameters = dict(MaxGPT2LMHeadModel(config).parameters)
    rng = np.random.default_rng(0)
    weights = {}
    for name, parameter in parameters.items():
        shape = [int(size) for size in parameter.shape]
        weights[name] = rng.standard_normal(shape, dtype=np.float32) * 0.02
        if "ln_" in name and name.endswith("weight"):
            weights[name] += 1
    return weights


def take_turns(peers: list[Peer], rounds: int, prompt: np.ndarray, count: int) -> dict:
    """Runs every peer in every round; the first round only warms up.

    Returns:
        each peer's runs, by the peer's name.
    """
    runs: dict[str, list[dict]] = {peer.name: [] for peer in peers}
    for turn in range(rounds + 1):
        for peer in peers:
            run = peer.decode(prompt, count if turn else 3)
            if turn:
                runs[peer.name].append(run)
    return runs


def decoding(peers: list[Peer], rounds: int, text: np.ndarray, batch: int) -> list:
    """The tokens per second after the first token, for a batch of texts."""
    new = NEW if batch < 32 else NEW // 4
    prompt = np.stack([np.roll(text, row)[:PROMPT] for row in range(batch)])
    runs = take_turns(peers, rounds, prompt, new)
    first = next(iter(runs.values()))[0]["ids"]
    return [
        {
            "name": name,
            "batch": batch,
            "tokens_per_second": spread([rate(run["seconds"], batch) for run in done]),
            "same_ids": all(run["ids"] == first for run in done),
        }
        for name, done in runs.items()
    ]


def recomputing(peers: list[Peer], rounds: int, text: np.ndarray) -> list:
    """The tokens per second of the slow peers without a cache, for few tokens."""
    runs = take_turns(peers, rounds, text[None, :PROMPT], NEW_SLOW)
    return [
        {
            "name": name,
            "batch": 1,
            "tokens_per_second": spread([rate(run["seconds"], 1) for run in done]),
        }
        for name, done in runs.items()
    ]


def prefill(peers: list[Peer], rounds: int, text: np.ndarray) -> list:
    """The seconds from a prompt of 512 tokens to the first new token."""
    runs = take_turns(peers, rounds, text[None, :PREFILL], 1)
    return [
        {"name": name, "seconds": spread([run["seconds"][0] for run in done])}
        for name, done in runs.items()
    ]


def positions(peers: list[Peer], rounds: int, text: np.ndarray) -> list:
    """The milliseconds per token after 64 to 900 tokens."""
    times: dict[tuple[str, int], list[float]] = {
        (peer.name, position): [] for peer in peers for position in POSITIONS
    }
    for _ in range(rounds):
        for position in POSITIONS:
            for peer in peers:
                run = peer.decode(text[None, :position], ALONE + 1)
                milliseconds = 1000 * median(run["seconds"][1:])
                times[peer.name, position].append(milliseconds)
    return [
        {"name": name, "position": position, "milliseconds": spread(values)}
        for (name, position), values in times.items()
    ]


def rate(seconds: list[float], batch: int) -> float:
    """The tokens per second without the first token, whose time is the prompt's."""
    return batch * (len(seconds) - 1) / sum(seconds[1:])


def spread(values: list[float]) -> dict[str, float]:
    return {"median": median(values), "low": min(values), "high": max(values)}


def measure(
    cached: list[Peer], slow: list[Peer], rounds: int, config: GPT2Config
) -> dict:
    """All figures of one run."""
    text = np.random.default_rng(1).integers(0, config.vocab_size, 1000)
    rates = [row for n in BATCHES for row in decoding(cached, rounds, text, n)]
    return {
        "decoding": rates + (recomputing(slow, rounds, text) if slow else []),
        "prefill": prefill(cached, rounds, text),
        "positions": positions(cached, rounds, text),
    }


@click.command()
@click.option("--torch-python", metavar="PATH", help="A Python with transformers.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--rounds", default=5, show_default=True, help="Turns for each peer.")
@click.option("--no-cache/--cache-only", "recompute", default=True, show_default=True)
def main(
    torch_python: str | None, out: Path | None, rounds: int, recompute: bool
) -> None:
    """Compare engines on GPT-2 124M's shapes with random weights."""
    console, config = Console(), GPT2Config()
    weights, note = random_weights(config), console.print
    cached: list[Peer] = [Ours("ours", Engine(config, weights, on_compile=note))]
    slow: list[Peer] = []
    if recompute:
        engine = RecomputingEngine(config, weights, MaxGPT2LMHeadModel, on_compile=note)
        slow = [Ours("ours, no cache", engine), Plain(config, weights)]
    bandwidth, size = read_bandwidth(), sum(array.nbytes for array in weights.values())
    with tempfile.TemporaryDirectory() as folder:
        if torch_python:
            save(config, weights, folder)
            cached.append(Torch(torch_python, folder))
        else:
            note("transformers is left out: no --torch-python with it was given")
        result = machine() | {
            "rounds": rounds,
            "weights_bytes": size,
            "read_bytes_per_second": bandwidth,
            **measure(cached, slow, rounds, config),
        }
    console.print(*tables(result), sep="\n")
    if out:
        keep(result, out / "decode.json")
        plot(result, out)


if __name__ == "__main__":
    main()
