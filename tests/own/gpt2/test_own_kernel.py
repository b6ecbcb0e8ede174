"""``--mine`` lets a learner's kernel multiply in the course's engine."""

import ctypes
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from course.registry import ROOT, find_exercise
from course.step_imports import leave_steps
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.engine import engines
from gpt2.learner.borrowing import Borrowed, borrow
from gpt2.learner.own_kernel import KERNEL
from gpt2.learner.own_model import open_mine

EXERCISE = find_exercise("kernel")
SPEEDS = re.compile(
    r"your kernel: \d+\.\d tokens/s; your plain loop: \d+\.\d; "
    r"the course's kernel: \d+\.\d"
)
MATVEC = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64, ctypes.c_int64)


class KernelEngine:
    """Multiplies one matrix by one row for each token, as an engine does."""

    def __init__(
        self, config: Any, weights: Any, *, matvec: int = 0, on_compile: Any = None
    ) -> None:
        self.address = matvec
        self.weights = np.arange(12, dtype=np.float32).reshape(4, 3)

    def product(self) -> np.ndarray:
        y, x = np.zeros(4, np.float32), np.ones(3, np.float32)
        if not self.address:
            return self.weights @ x
        pointers = [array.ctypes.data for array in (y, x, self.weights)]
        MATVEC(self.address)(*pointers, 4, 3)
        return y

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        return self.product()[None]

    decode = prefill


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Borrowed]:
    """A learner who has solved nothing but the kernel."""
    (tmp_path / EXERCISE.step_path.name).write_text(EXERCISE.solved)
    yield borrow(tmp_path, own=["kernel"])
    leave_steps()


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint(str(ROOT / "checkpoints" / "tiny-stories"))


Open = Callable[..., tuple[Any, list[str]]]


@pytest.fixture
def opened(own: Borrowed, checkpoint: Checkpoint) -> Open:
    """Opens the model; returns the engine and the notes."""

    def open_it(*, cache: bool = True) -> tuple[Any, list[str]]:
        notes: list[str] = []
        engine = open_mine(
            checkpoint, own, cache=cache, device="cpu", note=notes.append
        )
        return engine, notes

    return open_it


def test_the_learners_kernel_multiplies(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "Engine", KernelEngine)
    engine, notes = opened()
    assert isinstance(engine, KernelEngine)
    assert engine.address != 0
    assert engine.product().tolist() == [3, 12, 21, 30]
    assert notes[0] == KERNEL
    assert SPEEDS.fullmatch(notes[1])


def test_without_a_cache_the_learners_model_writes(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "Engine", KernelEngine)
    engine, notes = opened(cache=False)
    assert type(engine).__name__ == "EagerEngine"
    assert notes == []
