"""Knows whether a graph was compiled on this machine before, to say so in time."""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from max.experimental.nn import Module

from solutions.solution_01 import GPT2Config


def marker(model_class: type[Module], config: GPT2Config, device: str) -> Path:
    """The file that stands for one compiled graph.

    It lies in MAX's own cache folder, so that emptying that removes it too.
    """
    folder = os.environ.get("MODULAR_CACHE_DIR") or Path.home() / ".cache" / "modular"
    code = Path(inspect.getfile(model_class)).read_text(encoding="utf-8")
    graph = repr((version("max"), code, config, device))
    return Path(folder) / "gpt2-on-max" / sha256(graph.encode()).hexdigest()[:16]


def seconds_to_compile(config: GPT2Config) -> int:
    """A guess from two slow cores: 150 to 186 s for 4 layers, 213 s for 12."""
    return 140 + 6 * config.n_layer


@contextmanager
def announced(
    model_class: type[Module],
    config: GPT2Config,
    device: str,
    on_compile: Callable[[str], None] | None,
) -> Iterator[None]:
    """Tells ``on_compile`` when what follows compiles a graph for the first time.

    A wrong guess only means a line too many or too few.
    """
    mark = marker(model_class, config, device)
    if on_compile and not mark.exists():
        about = seconds_to_compile(config)
        on_compile(f"first run on this machine: compiling, about {about} s")
    yield
    with suppress(OSError):  # a read-only home is no reason to fail
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
