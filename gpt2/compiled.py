"""Compiled graphs, kept on disk: reading one takes 0.1 s, making one minutes."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import numpy as np
from max.driver import Device
from max.engine import InferenceSession, Model, read

from gpt2.interruptible import interruptible
from gpt2.kept import Exports, keep, kept_path
from solutions.solution_01 import GPT2Config

Weights = Mapping[str, np.ndarray]
OnCompile = Callable[[str], None] | None

PATIENCE = 10.0  # seconds; from MAX's own cache a compile takes less
HERE = Path(__file__).parent


class Compiled(Exports, Protocol):
    """What MAX makes of a module."""

    engine_model: Model


def load_graph(
    config: GPT2Config,
    weights: Weights,
    device: Device,
    compile_graph: Callable[[], Compiled],
    on_compile: OnCompile,
) -> Model:
    """Reads the graph of the cached model from disk, or compiles it and keeps it.

    Args:
        config: the model's sizes, which are part of the graph.
        weights: float32 arrays by name; they are not part of it.
        device: where it runs.
        compile_graph: makes the graph.
        on_compile: is told in one line when that takes long.
    """
    path, session = graph_path(config, device), InferenceSession(devices=[device])
    with suppress(RuntimeError, ValueError):  # there is none, or it is damaged
        return session.init(read(path), weights_registry=dict(weights))
    with announced(config, on_compile):
        compiled = compile_graph()
    with suppress(OSError, RuntimeError):  # a full disk is no reason to fail
        keep(compiled, path)
    return compiled.engine_model


def graph_path(config: GPT2Config, device: Device) -> Path:
    """The graph's file."""
    return kept_path(sources(), config, str(device))


def sources() -> str:
    """The text that the graph is made from."""
    own = [HERE / "cached_model.py", HERE / "projection.py"]
    files = [*own, *sorted((HERE.parent / "solutions").glob("solution_*.py"))]
    return "".join(path.read_text(encoding="utf-8") for path in files)


def seconds_to_compile(config: GPT2Config) -> int:
    """A guess from two slow cores: 150 to 186 s for 4 layers, 213 s for 12."""
    return 140 + 6 * config.n_layer


@contextmanager
def announced(config: GPT2Config, on_compile: OnCompile) -> Iterator[None]:
    """Tells ``on_compile`` when compiling takes long, and lets Ctrl-C end it."""
    about = seconds_to_compile(config)
    message = f"first run on this machine: compiling, about {about} s"
    timer = threading.Timer(PATIENCE, on_compile or (lambda _: None), [message])
    timer.daemon = True
    timer.start()
    try:
        with interruptible():
            yield
    finally:
        timer.cancel()
