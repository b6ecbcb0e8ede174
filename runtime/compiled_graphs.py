"""Compiled graphs, kept on disk: reading one takes 0.1 s, making one minutes."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import numpy as np
from max.driver import Device
from max.engine import InferenceSession, Model, read

from runtime.compilation_cache import Exports, store
from runtime.interruptible import interruptible
from runtime.plain_max import plain_max

Weights = Mapping[str, np.ndarray]
OnCompile = Callable[[str], None] | None

PATIENCE = 10.0  # seconds; from MAX's own cache a compile takes less


class Compiled(Exports, Protocol):
    """What MAX makes of a module."""

    engine_model: Model


def load_graph(
    path: Path,
    weights: Weights,
    device: Device,
    compile_graph: Callable[[], Compiled],
    about: int,
    on_compile: OnCompile,
) -> Model:
    """Reads a graph from disk, or compiles it and keeps it.

    Args:
        path: the graph's file.
        weights: float32 arrays by name; they are not part of the graph.
        device: where it runs.
        compile_graph: makes the graph.
        about: how many seconds that takes.
        on_compile: is told in one line when it takes long.
    """
    if not plain_max():
        session = InferenceSession(devices=[device])
        with suppress(RuntimeError, ValueError):  # there is none, or it is damaged
            return session.init(read(path), weights_registry=dict(weights))
    with announced(about, on_compile):
        compiled = compile_graph()
    if not plain_max():
        with suppress(OSError, RuntimeError):  # a full disk is no reason to fail
            store(compiled, path)
    return compiled.engine_model


@contextmanager
def announced(about: int, on_compile: OnCompile) -> Iterator[None]:
    """Tells ``on_compile`` when compiling takes long, and lets Ctrl-C end it."""
    message = f"first run on this machine: compiling, about {about} s"
    timer = threading.Timer(PATIENCE, on_compile or (lambda _: None), [message])
    timer.daemon = True
    timer.start()
    try:
        with interruptible():
            yield
    finally:
        timer.cancel()
