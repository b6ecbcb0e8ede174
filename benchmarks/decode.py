"""Measures decoding: our engine with and without its cache, and transformers on torch.

All run the same random GPT-2 124M in float32 and take turns; the others wait.
"""

import json
import os
import platform
import re
import subprocess
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Protocol

os.environ.setdefault("MAX_EAGER_EXECUTOR", "interpreter")

import click
import numpy as np
from max.experimental import functional as F
from rich.console import Console
from rich.table import Table

from gpt2.engine import Engine, RecomputingEngine
from solutions.solution_01 import GPT2Config
from solutions.solution_13 import MaxGPT2LMHeadModel

POSITIONS, PROMPT, NEW, ALONE = (64, 256, 512, 900), 64, 128, 16


class Peer(Protocol):
    """Something that decodes greedily."""

    name: str

    def decode(self, prompt: list[int], count: int) -> dict:
        """Appends ``count`` tokens: ``ids``, and the ``seconds`` of all but the
        first, which the prompt's own run gives."""


class Ours:
    """One of our engines."""

    def __init__(self, name: str, engine: Engine | RecomputingEngine) -> None:
        self.name, self.engine = name, engine

    def decode(self, prompt: list[int], count: int) -> dict:
        ids = [int(self.engine.prefill(np.array([prompt])).argmax())]
        seconds = []
        for _ in range(count - 1):
            start = time.perf_counter()
            ids.append(int(self.engine.decode(np.array(ids[-1:])).argmax()))
            seconds.append(time.perf_counter() - start)
        return {"ids": ids, "seconds": seconds}


class Torch:
    """Transformers in an interpreter of its own, which waits while others run."""

    def __init__(self, python: str, folder: str, threads: int) -> None:
        script = Path(__file__).with_name("torch_peer.py")
        self._process = subprocess.Popen(
            [python, script, folder, str(threads)],
            env=dict(os.environ),  # without what MAX's C++ added about its own Python
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.name = self._answer()["name"]

    def decode(self, prompt: list[int], count: int) -> dict:
        self._process.stdin.write(json.dumps({"prompt": prompt, "count": count}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        if not (line := self._process.stdout.readline()):
            raise click.ClickException("the torch interpreter ended: see above")
        return json.loads(line)


def random_weights(config: GPT2Config) -> dict[str, np.ndarray]:
    """Weights as GPT-2 starts training: normal, 0.02, norms at one and zero."""
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


def save(config: GPT2Config, weights: dict[str, np.ndarray], folder: str) -> None:
    """Lays the model out for the torch interpreter."""
    sizes = asdict(config) | {"bos_token_id": None, "eos_token_id": None}
    Path(folder, "config.json").write_text(json.dumps(sizes))
    for name, array in weights.items():
        np.save(Path(folder, f"{name}.npy"), array)


def measure(peers: list[Peer], rounds: int, prompt: list[int]) -> list[dict]:
    """Tokens per second of each peer: the rounds' median, lowest and highest."""
    runs = {peer.name: [] for peer in peers}
    for turn in range(rounds + 1):
        for peer in peers:
            result = peer.decode(prompt, NEW if turn else 8)
            if turn:  # the first turn only warms up
                runs[peer.name].append(result)
    first = runs[peers[0].name][0]["ids"]
    return [
        {
            "name": name,
            "tokens_per_second": spread(
                [len(run["seconds"]) / sum(run["seconds"]) for run in done]
            ),
            "same_ids": all(run["ids"] == first for run in done),
        }
        for name, done in runs.items()
    ]


def measure_positions(peers: list[Peer], rounds: int, text: list[int]) -> list[dict]:
    """Milliseconds per token of each peer after 64 to 900 tokens."""
    times = {(peer.name, p): [] for peer in peers for p in POSITIONS}
    for _ in range(rounds):
        for position in POSITIONS:
            for peer in peers:
                seconds = peer.decode(text[:position], ALONE + 1)["seconds"]
                times[peer.name, position].append(1000 * median(seconds))
    return [
        {"name": name, "position": position, "milliseconds": spread(values)}
        for (name, position), values in times.items()
    ]


def spread(values: list[float]) -> dict[str, float]:
    return {"median": median(values), "low": min(values), "high": max(values)}


def shown(values: dict[str, float], digits: int = 1) -> str:
    return "{median:.{d}f} ({low:.{d}f}–{high:.{d}f})".format(**values, d=digits)


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    cpu = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        found = re.search(r"model name\s*: (.*)", info.read_text())
        cpu = found[1] if found else cpu
    return {"cpu": cpu, "cores": os.cpu_count() or 1, "system": platform.platform()}


def tables(result: dict) -> list[Table]:
    """The figures, side by side."""
    speed = Table(title=f"Decoding, prompt {PROMPT}, {NEW} new tokens, batch 1")
    for title in ("", "tokens/s, median (low–high)", "same ids"):
        speed.add_column(title)
    for row in result["decoding"]:
        same = "yes" if row["same_ids"] else "no"
        speed.add_row(row["name"], shown(row["tokens_per_second"]), same)
    depth = Table("", *map(str, POSITIONS), title="Milliseconds per token at position")
    for name in dict.fromkeys(row["name"] for row in result["positions"]):
        rows = [row for row in result["positions"] if row["name"] == name]
        depth.add_row(name, *(shown(row["milliseconds"]) for row in rows))
    return [speed, depth]


@click.command()
@click.option("--torch-python", metavar="PATH", help="A Python with transformers.")
@click.option("--json", "json_path", type=click.Path(), help="Write the figures here.")
@click.option("--rounds", default=5, show_default=True, help="Turns for each engine.")
@click.option("--no-cache/--cache-only", "recompute", default=True, show_default=True)
def main(
    torch_python: str | None, json_path: str | None, rounds: int, recompute: bool
) -> None:
    """Compares the engines on GPT-2 124M's shapes with random weights."""
    console, config = Console(), GPT2Config()
    weights = random_weights(config)
    note = console.print
    cached: list[Peer] = [Ours("ours", Engine(config, weights, on_compile=note))]
    with tempfile.TemporaryDirectory() as folder:
        if torch_python:
            save(config, weights, folder)
            cached.append(Torch(torch_python, folder, os.cpu_count() or 1))
        else:
            note("transformers is left out: no --torch-python with it was given")
        every = list(cached)
        if recompute:
            slow = RecomputingEngine(
                config, weights, MaxGPT2LMHeadModel, on_compile=note
            )
            every.append(Ours("ours, no cache", slow))
        text = np.random.default_rng(1).integers(0, config.vocab_size, 1000).tolist()
        result = {
            "machine": machine(),
            "decoding": measure(every, rounds, text[:PROMPT]),
            "positions": measure_positions(cached, rounds, text),
        }
    console.print(*tables(result), sep="\n")
    if json_path:
        Path(json_path).write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
