"""MAX's kernels for eager operations, compiled in batches into files.

The solutions need ten kernels. Compiled separately, each takes 20 to 60 s: compiling
begins with 10 s that a batch spends once. A batch loads in 0.05 s.
"""

import os
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock, Timeout

from runtime.announce import Announce
from runtime.child_python import python_command
from runtime.children import run_child
from runtime.compilation_cache import cache_path, store
from runtime.ctrl_c import interruptible

# Kernel names by batch. Each batch has its own file: the first steps need only one.
BATCHES: dict[str, list[str]] = tomllib.loads(
    Path(__file__).with_name("kernels.toml").read_text(encoding="utf-8")
)
COMPILE = """
from pathlib import Path; from runtime.kernel_batches import compile_here
compile_here(sys.argv[1], Path(sys.argv[2]))
"""
SECONDS = {"first": 25, "matmul": 60, "other": 90}  # to compile, on a slow core
PATIENCE = 2  # times these seconds: so long a run waits for another


def load_batch(name: str, announce: Announce) -> dict[str, Any]:
    """Returns a batch's kernels by name, compiled now if needed; {} on failure."""
    path, count = batch_path(name), len(BATCHES[name])
    what = f"{count} kernel{'s' if count > 1 else ''}"
    failures = (OSError, subprocess.CalledProcessError, RuntimeError, ValueError)
    with suppress(OSError, RuntimeError, ValueError):  # the file is missing or damaged
        return read_batch(path)
    patience = None
    if (passed := compiling_for(name)) is not None:
        left = seconds_left(name, passed)
        with announce(f"{what} (in the background, for {passed} s so far)", left):
            wait_for(name, PATIENCE * left)
        patience = 0.0
        with suppress(*failures):  # that process failed, or has not ended yet
            return read_batch(path)
    with suppress(*failures):
        with announce(what, SECONDS[name]):
            compile_batch(name, patience)
        return read_batch(path)
    return {}


def batch_path(name: str) -> Path:
    """Returns the path of a batch's file."""
    return cache_path(*BATCHES[name])


def missing_batches() -> list[str]:
    """Returns the names of the batches without a file."""
    return [name for name in BATCHES if not batch_path(name).exists()]


def is_locked(lock: Path) -> bool:
    """Whether a process holds a lock."""
    try:
        if lock.exists():  # otherwise FileLock would make it
            with FileLock(lock, timeout=0):
                return False
    except Timeout:
        return True
    except OSError:  # this user may not open it
        pass
    return False


def compiling_for(name: str) -> int | None:
    """Returns how many seconds ago a process began to compile a batch.

    None: no process compiles it.
    """
    path = batch_path(name)
    if not is_locked(path.with_suffix(".lock")):
        return None
    with suppress(OSError):
        began = path.with_suffix(".started").stat().st_mtime
        return max(0, round(time.time() - began))
    return 0


def seconds_left(name: str, passed: int) -> int:
    """Estimates how long a compile goes on that began ``passed`` seconds ago."""
    return max(10, SECONDS[name] - passed, passed // 2)  # also on a slow machine


def wait_for(name: str, seconds: float) -> None:
    """Waits until no process compiles a batch, or until the seconds are over."""
    lock = batch_path(name).with_suffix(".lock")
    with suppress(OSError), FileLock(lock, timeout=seconds):
        pass


def read_batch(path: Path) -> dict[str, Any]:
    """Reads kernels by name; raises RuntimeError or ValueError for a bad file."""
    from max.driver import CPU
    from max.engine import InferenceSession, read

    session = InferenceSession(devices=[CPU()])
    return session.init_all(read(path), weights_registry={})


def compile_batch(name: str, patience: float | None = None) -> None:
    """Compiles a batch in a separate process, unless its file exists and is complete.

    If another run compiles the same batch, this run waits for it. The other run may
    have stopped, or may get no time from the processor.

    Args:
        name: the batch.
        patience: seconds after which this run compiles, too; None: the usual number.

    Raises:
        CalledProcessError: the batch cannot be compiled.
        OSError: the file cannot be written.
    """
    path = batch_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not os.access(path.parent, os.W_OK):
        return  # somebody else compiled it, for all users
    patience = PATIENCE * SECONDS[name] if patience is None else patience
    # With other kernels in its cache, MAX writes a file four times as large.
    with empty_folder(path, patience) as empty:
        run_child(
            python_command(COMPILE, name, str(path)),
            env=dict(os.environ) | {"MODULAR_CACHE_DIR": str(empty)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )


@contextmanager
def empty_folder(path: Path, patience: float) -> Iterator[Path]:
    """Makes an empty folder beside a file, where one run at a time compiles.

    If another run still has it after ``patience`` seconds, it is another folder.
    """
    try:
        with FileLock(path.with_suffix(".lock"), timeout=patience):
            path.with_suffix(".started").touch()
            folder = path.with_suffix(".cache")
            shutil.rmtree(folder, ignore_errors=True)  # a killed run left it there
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except Timeout:
        with TemporaryDirectory(dir=path.parent, ignore_cleanup_errors=True) as other:
            yield Path(other)


def compile_here(name: str, path: Path) -> None:
    """Compiles a batch into a file, in this process."""
    from max._mlir_context import in_default_mlir_context
    from max.driver import CPU
    from max.engine import InferenceSession

    with suppress(RuntimeError, ValueError):
        read_batch(path)
        return
    module = in_default_mlir_context(build_module)(BATCHES[name])
    with interruptible():
        store(InferenceSession(devices=[CPU()]).compile(module), path)


def build_module(names: list[str]) -> Any:
    """Builds a module with MAX's graphs of the named kernels."""
    from max import mlir
    from max._interpreter_ops import gc_compile
    from max.driver import CPU
    from max.graph import Module

    module = Module()
    for family in gc_compile.registered_families():
        family.build_module_for_device(CPU(), module)
    for graph in list(module.mlir_module.body):
        if graph.sym_name not in names:
            mlir.Operation._CAPICreate(graph._CAPIPtr).erase()
    return module
