"""The cached model's compiled graph: who computes it, its file and its compile time."""

from pathlib import Path

import numpy as np
from max.driver import CPU, Device
from max.engine import Model

from gpt2.engine.cache import Cache
from gpt2.engine.kernel_cache import KernelCache
from gpt2.engine.max_cache import MaxCache
from gpt2.engine.precision import Precision, PrecisionError, pack
from runtime.compilation_cache import cache_path
from runtime.compiled_graphs import Compiled, OnCompile, Weights, load_graph
from runtime.custom_ops import without_log
from runtime.plain_max import plain_max
from solutions.solution_01 import GPT2Config

HERE = Path(__file__).parent


def load_cached_model(
    config: GPT2Config,
    weights: dict[str, np.ndarray],
    device: Device,
    precision: Precision = "float32",
    matvec: int = 0,
    on_compile: OnCompile = None,
) -> tuple[Model, type[Cache]]:
    """Reads the cached model's graph from disk, or compiles it and stores it.

    On a CPU, the course's own kernels compute. MAX's operations take their place where
    the kernels do not compile, and with COURSE_PLAIN_MAX=1.

    Args:
        config: the model's sizes, which are part of the graph.
        weights: float32 arrays by name, which are not part of the graph. A precision
            other than float32 empties the mapping.
        device: runs the graph.
        precision: how the kernels keep the weights.
        matvec: see ``precision.pack``.
        on_compile: gets one sentence when compiling takes long, and when the kernels
            do not compile.

    Returns:
        The model, and the class of its caches.

    Raises:
        PrecisionError: the kernels or the model's sizes do not allow the precision.
        ValueError: ``matvec`` is not possible here.
    """
    if matvec and precision != "float32":
        raise ValueError("another function multiplies float32 weights only")
    if device.is_host and not plain_max():
        try:
            return with_kernels(config, weights, precision, matvec, on_compile)
        except KernelError as error:
            say = on_compile or (lambda _: None)
            instead = "MAX's own operations run in their place, more slowly"
            falls_back = precision == "float32" and not matvec
            say(f"{error}; {instead}" if falls_back else str(error))
    if matvec:
        raise PrecisionError(
            "MAX's own operations cannot use another kernel: --no-cache runs your model"
        )
    if precision != "float32":
        raise PrecisionError(
            "only the course's kernels on a CPU have other weights than float32: leave "
            "--weights out"
        )
    return with_max(config, weights, device, on_compile)


class KernelError(Exception):
    """The course's kernels do not compile on this machine."""


def with_kernels(
    config: GPT2Config,
    weights: dict[str, np.ndarray],
    precision: Precision,
    matvec: int,
    on_compile: OnCompile,
) -> tuple[Model, type[Cache]]:
    """Reads or compiles the model with the course's kernels.

    Raises:
        KernelError: the kernels do not compile.
    """
    given = weights if precision != "float32" else dict(weights)
    packed, device = pack(given, precision, matvec), CPU()

    def compile_graph() -> Compiled:
        from gpt2.engine.compiling import compile_with_kernels  # takes a second

        try:
            with without_log():
                return compile_with_kernels(config, packed, precision)
        except Exception as error:
            raise KernelError(
                f"the course's kernels do not compile: {first_error(error)}"
            ) from error

    path = graph_path(config, device, precision)
    about = 25 + config.n_layer // 5  # on two slow cores
    model = load_graph(path, packed, device, compile_graph, about, on_compile)
    return model, KernelCache


def first_error(error: Exception) -> str:
    """Returns the line that names the first error; Mojo prints others before it."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if ": error: " in line]
    return (named or lines or [type(error).__name__])[0]


def with_max(
    config: GPT2Config, weights: Weights, device: Device, on_compile: OnCompile
) -> tuple[Model, type[Cache]]:
    """Reads or compiles the model with MAX's operations."""

    def compile_graph() -> Compiled:
        from gpt2.engine.compiling import compile_with_max  # takes a second

        return compile_with_max(config, weights, device)

    about = seconds_to_compile(config, on_cpu=device.is_host)
    path = graph_path(config, device, "")
    model = load_graph(path, weights, device, compile_graph, about, on_compile)
    return model, MaxCache


def graph_path(config: GPT2Config, device: Device, precision: str) -> Path:
    """Returns the path of the graph's file, which depends on the device's kind.

    ``precision`` is the kernels' one, or "" for a graph of MAX's operations.
    """
    kind = "" if device.is_host else device.architecture_name
    return cache_path(sources(), config, str(device), kind, precision)


def sources() -> str:
    """Returns the source text that the graph is compiled from."""
    root = HERE.parents[1]
    own = [
        *(HERE / f"{name}.py" for name in ("cached_model", "operations", "precision")),
        *(HERE / f"{name}_operations.py" for name in ("kernel", "max")),
        *sorted((HERE / "kernels").glob("*.mojo")),
        root / "runtime" / "releases.py",  # it decides what the graph may contain
    ]
    files = [*own, *sorted((root / "solutions").glob("solution_*.py"))]
    return "".join(path.read_text(encoding="utf-8") for path in files)


def seconds_to_compile(config: GPT2Config, *, on_cpu: bool = True) -> int:
    """Estimates the time for a graph of MAX's operations.

    On two slow cores it took 150 to 186 s for 4 layers, and 213 s for 12.
    For a GPU, the same machine took 2.4 times as long as for its CPU.
    """
    seconds = 140 + 6 * config.n_layer
    return seconds if on_cpu else round(2.4 * seconds)
