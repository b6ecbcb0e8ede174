"""The peers: our engines, transformers on torch, and plain NumPy.

Every peer decodes greedily. It takes token ids ``[B, T]`` and returns ``count`` tokens
for each row, with the seconds of each token.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import click
import numpy as np

from benchmarks import numpy_gpt2
from gpt2.engine.engines import Engine, RecomputingEngine
from runtime.children import ChildGroup
from solutions.solution_01 import GPT2Config


class Peer(Protocol):
    """An implementation that decodes greedily."""

    name: str

    def decode(self, prompt: np.ndarray, count: int) -> dict:
        """Returns lists: ``ids`` ``[B, count]`` and ``seconds`` ``[count]``."""


def timed_loop(
    first: Callable[[], np.ndarray],
    following: Callable[[np.ndarray], np.ndarray],
    count: int,
) -> dict:
    """Times ``count`` tokens. Both functions return logits ``[B, V]``."""
    ids: list[np.ndarray] = []
    seconds = []
    for place in range(count):
        start = time.perf_counter()
        logits = following(ids[-1]) if place else first()
        ids.append(logits.argmax(axis=-1))
        seconds.append(time.perf_counter() - start)
    return {"ids": np.stack(ids, axis=1).tolist(), "seconds": seconds}


class Ours:
    """One of our engines."""

    def __init__(self, name: str, engine: Engine | RecomputingEngine) -> None:
        self.name, self.engine = name, engine

    def decode(self, prompt: np.ndarray, count: int) -> dict:
        return timed_loop(
            lambda: self.engine.prefill(prompt), self.engine.decode, count
        )


class Plain:
    """NumPy without a cache, for one row."""

    def __init__(self, config: GPT2Config, weights: Mapping[str, np.ndarray]) -> None:
        self.name, self.weights = f"NumPy {np.__version__}, no cache", weights
        self.sizes = config.n_layer, config.n_head

    def decode(self, prompt: np.ndarray, count: int) -> dict:
        text = prompt[0].tolist()

        def logits(new: np.ndarray | tuple = ()) -> np.ndarray:
            text.extend(new)
            return numpy_gpt2.logits(text, self.weights, *self.sizes)[None]

        return timed_loop(logits, logits, count)


class Torch:
    """Transformers in a separate interpreter, which waits while other peers run."""

    def __init__(self, python: str, folder: str) -> None:
        script = Path(__file__).with_name("torch_peer.py")
        self._group = ChildGroup()
        self._process = subprocess.Popen(
            [python, script, folder, str(os.cpu_count() or 1)],
            env=dict(os.environ),  # without the variables that MAX's C++ has added
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=self._group.number,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self.name = self._answer()["name"]

    def decode(self, prompt: np.ndarray, count: int) -> dict:
        request = {"prompt": prompt.tolist(), "count": count}
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        return self._answer()

    def _answer(self) -> dict:
        if not (line := self._answers.readline()):
            raise click.ClickException("the torch interpreter ended: see above")
        return json.loads(line)


def save(config: GPT2Config, weights: Mapping[str, np.ndarray], folder: str) -> None:
    """Writes the model's files for the torch interpreter."""
    sizes = asdict(config) | {"bos_token_id": None, "eos_token_id": None}
    Path(folder, "config.json").write_text(json.dumps(sizes), encoding="utf-8")
    for name, array in weights.items():
        np.save(Path(folder, f"{name}.npy"), array)
