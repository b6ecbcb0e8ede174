"""MAX's kernels for eager operations, compiled in batches into files.

The course needs 31 kernels. As one batch they compile in two minutes on two cores, and
load in 0.05 s. Compiled separately, each kernel takes 20 to 40 s.
"""

import os
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from runtime.announce import Announce
from runtime.child_python import python_command
from runtime.children import run_child
from runtime.compilation_cache import cache_path, store
from runtime.ctrl_c import interruptible

# Kernel names by batch. Each batch has its own file: few checks need the second.
BATCHES: dict[str, list[str]] = tomllib.loads(
    Path(__file__).with_name("kernels.toml").read_text(encoding="utf-8")
)
COMPILE = """
from pathlib import Path; from runtime.kernel_batches import compile_here
compile_here(sys.argv[1], Path(sys.argv[2]))
"""
SECONDS = {"needed": 110, "likely": 60}  # to compile them on two cores
PATIENCE = 900.0  # seconds; a process that compiles longer has stopped


def load_batch(name: str, announce: Announce) -> dict[str, Any]:
    """Returns a batch's kernels by name, compiled now if needed; {} on failure."""
    path, what = batch_path(name), f"{len(BATCHES[name])} kernels"
    failures = (OSError, subprocess.CalledProcessError, RuntimeError, ValueError)
    with suppress(OSError, RuntimeError, ValueError):  # the file is missing or damaged
        return read_batch(path)
    if (passed := compiling_for(name)) is not None:
        left = max(10, SECONDS[name] - passed)
        with announce(f"{what} (in the background, for {passed} s so far)", left):
            ended = wait_for(name)
        if not ended:
            return {}
        with suppress(*failures):  # that process failed
            return read_batch(path)
    with suppress(*failures):
        with announce(what, SECONDS[name]):
            compile_batch(name)
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
        with suppress(FileNotFoundError, PermissionError), FileLock(lock, timeout=0):
            pass
    except Timeout:
        return True
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


def wait_for(name: str) -> bool:
    """Waits until no process compiles a batch; returns whether that came to pass."""
    lock = batch_path(name).with_suffix(".lock")
    with suppress(OSError), FileLock(lock, timeout=PATIENCE):
        return True
    return False


def read_batch(path: Path) -> dict[str, Any]:
    """Reads kernels by name; raises RuntimeError or ValueError for a bad file."""
    from max.driver import CPU
    from max.engine import InferenceSession, read

    session = InferenceSession(devices=[CPU()])
    return session.init_all(read(path), weights_registry={})


def compile_batch(name: str) -> None:
    """Compiles a batch in a separate process, unless its file exists and is complete.

    If another run compiles the same batch, this run waits for it.

    Raises:
        CalledProcessError: the batch cannot be compiled.
        OSError: the file cannot be written, or the other run does not end.
    """
    path = batch_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not os.access(path.parent, os.W_OK):
        return  # somebody else compiled it, for all users
    # With other kernels in its cache, MAX writes a file four times as large.
    lock = FileLock(path.with_suffix(".lock"), timeout=PATIENCE)
    with lock, empty_folder(path) as empty:
        path.with_suffix(".started").touch()
        run_child(
            python_command(COMPILE, name, str(path)),
            env=dict(os.environ) | {"MODULAR_CACHE_DIR": str(empty)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )


@contextmanager
def empty_folder(path: Path) -> Iterator[Path]:
    """Makes an empty folder beside a file; deletes what a killed run left there."""
    folder = path.with_suffix(".cache")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
