"""Compiled graphs on disk. Reading one takes 0.1 s; compiling one takes minutes."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from max.driver import Device
from max.engine import InferenceSession, Model, read

from runtime.compilation_cache import Exports, store
from runtime.ctrl_c import interruptible
from runtime.plain_max import plain_max

if TYPE_CHECKING:
    from rich.progress import Progress

Weights = Mapping[str, np.ndarray]
OnCompile = Callable[[str], None] | None

SHORT = 2.0  # seconds
PATIENCE = 10.0  # a compile from MAX's own cache takes less


class Compiled(Exports, Protocol):
    """A module that MAX has compiled."""

    engine_model: Model


def load_graph(
    path: Path,
    weights: Weights,
    device: Device,
    compile_graph: Callable[[], Compiled],
    about: int,
    on_compile: OnCompile,
) -> Model:
    """Reads a graph from disk, or compiles it and writes it to disk.

    Args:
        path: the graph's file.
        weights: float32 arrays by name; they are not part of the graph.
        device: runs the graph.
        compile_graph: compiles the graph.
        about: roughly how many seconds compiling takes.
        on_compile: gets one sentence when compiling takes more than 10 s.
    """
    if not plain_max():
        session = InferenceSession(devices=[device])
        with suppress(RuntimeError, ValueError):  # the file is missing or damaged
            return session.init(read(path), weights_registry=dict(weights))
    with announced(about, on_compile):
        compiled = compile_graph()
    if not plain_max():
        with suppress(OSError, RuntimeError):  # a full disk must not end the run
            store(compiled, path)
    return compiled.engine_model


@contextmanager
def announced(about: int, on_compile: OnCompile) -> Iterator[None]:
    """Tells a user who waits for a compile; Ctrl-C stops the compile.

    A terminal shows the elapsed time from the third second on. Elsewhere,
    ``on_compile`` gets a sentence after 10 s.
    """
    message = f"first run on this machine: compiling, about {about} s"
    bar = waiting_bar(message) if on_compile and sys.stderr.isatty() else None
    say = bar.start if bar else partial(on_compile or (lambda _: None), message)
    timer = threading.Timer(SHORT if bar else PATIENCE, say)
    timer.daemon = True
    timer.start()
    try:
        with interruptible():
            yield
    finally:
        timer.cancel()
        if bar:
            bar.stop()


def waiting_bar(message: str) -> "Progress":
    """Returns a bar with the elapsed time, which vanishes at the end."""
    from rich.console import Console  # not needed where the graph is on disk
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task(message, total=None)  # MAX does not tell how far it is
    return bar
