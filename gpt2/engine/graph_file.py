"""The cached model's compiled graph: its file and its compile time."""

from collections.abc import Callable
from pathlib import Path

from max.driver import Device
from max.engine import Model

from runtime.compilation_cache import cache_path
from runtime.compiled_graphs import Compiled, OnCompile, Weights, load_graph
from solutions.solution_01 import GPT2Config

HERE = Path(__file__).parent


def load_cached_model(
    config: GPT2Config,
    weights: Weights,
    device: Device,
    compile_graph: Callable[[], Compiled],
    on_compile: OnCompile,
) -> Model:
    """Reads the cached model's graph from disk, or compiles it and stores it.

    Args:
        config: the model's sizes, which are part of the graph.
        weights: float32 arrays by name, which are not part of the graph.
        device: runs the graph.
        compile_graph: compiles the graph.
        on_compile: gets one sentence when compiling takes long.
    """
    path = graph_path(config, device)
    about = seconds_to_compile(config, on_cpu=device.is_host)
    return load_graph(path, weights, device, compile_graph, about, on_compile)


def graph_path(config: GPT2Config, device: Device) -> Path:
    """Returns the path of the graph's file, which depends on the device's kind."""
    kind = "" if device.is_host else device.architecture_name
    return cache_path(sources(), config, str(device), kind)


def sources() -> str:
    """Returns the source text that the graph is compiled from."""
    root = HERE.parents[1]
    own = [
        HERE / f"{name}.py" for name in ("cached_model", "accelerated", "projection")
    ]
    own += [root / "runtime" / "releases.py"]  # it decides what the graph may contain
    files = [*own, *sorted((root / "solutions").glob("solution_*.py"))]
    return "".join(path.read_text(encoding="utf-8") for path in files)


def seconds_to_compile(config: GPT2Config, *, on_cpu: bool = True) -> int:
    """Estimates from two slow cores: 150 to 186 s for 4 layers, 213 s for 12.

    For a GPU, the same machine took 2.4 times as long as for its CPU.
    """
    seconds = 140 + 6 * config.n_layer
    return seconds if on_cpu else round(2.4 * seconds)
