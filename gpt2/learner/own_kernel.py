"""Lets a learner's kernel multiply in the course's engine, and compares the speed."""

import time
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import numpy as np

from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.generation import TokenEngine
from gpt2.engine import engines

KERNEL = (
    "your kernel multiplies in the course's model (--no-cache: your own model writes, "
    "and reads the whole text for every token)"
)
SPEEDS = (
    "your kernel: {matvec:.1f} tokens/s; your plain loop: {plain:.1f}; the course's "
    "kernel: {course:.1f}"
)
TOKENS, ENOUGH = 16, 0.5  # measured at most; seconds after which fewer are enough


def open_with_kernel(
    checkpoint: Checkpoint, note: Callable[[str], None]
) -> TokenEngine:
    """Opens the course's engine with the kernel of ``steps/``.

    Args:
        checkpoint: sizes and weights.
        note: gets a sentence about the kernel, and one with its measured speed.

    Raises:
        ImportError, SyntaxError: the kernel's file cannot be built.
    """
    kernel = import_module("steps.encore_kernel")
    note(KERNEL)
    note(SPEEDS.format_map(speeds(checkpoint, kernel, note)))
    return open_engine(checkpoint, kernel.matvec.address, note)


def open_engine(
    checkpoint: Checkpoint, address: int, note: Callable[[str], None]
) -> TokenEngine:
    """Opens an engine that calls a C function for each product with one row of x.

    Args:
        checkpoint: sizes and weights.
        address: the address of ``matvec(y, x, w, outs, ins)``; 0 is the course's own.
        note: gets a sentence when compiling takes long.
    """
    config, weights = checkpoint.config, checkpoint.weights
    return engines.Engine(config, weights, matvec=address, on_compile=note)


def speeds(
    checkpoint: Checkpoint, kernel: ModuleType, note: Callable[[str], None]
) -> dict[str, float]:
    """Measures tokens per second with ``matvec``, with ``plain`` and with the course's.

    One engine after the other, because each holds all weights.
    """
    addresses = {
        "matvec": kernel.matvec.address,
        "plain": kernel.plain.address,
        "course": 0,
    }
    return {
        name: tokens_per_second(open_engine(checkpoint, address, note))
        for name, address in addresses.items()
    }


def tokens_per_second(engine: TokenEngine) -> float:
    """Measures how fast an engine appends tokens to a short text."""
    token = np.zeros(1, np.int64)
    engine.prefill(token[:, None])
    engine.decode(token)  # the first call is slower
    started, count = time.perf_counter(), 0
    while count < TOKENS and time.perf_counter() - started < ENOUGH:
        engine.decode(token)
        count += 1
    return count / (time.perf_counter() - started)
