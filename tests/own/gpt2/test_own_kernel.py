"""``--mine`` lets a learner's kernel multiply in the course's engine."""

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


def test_the_learners_kernel_multiplies(opened: Open, checkpoint: Checkpoint) -> None:
    engine, notes = opened()
    course = engines.Engine(checkpoint.config, checkpoint.weights)
    prompt, token = np.arange(1, 6)[None], np.array([7])
    engine.prefill(prompt)
    course.prefill(prompt)
    # The sums have another order.
    found, expected = engine.decode(token), course.decode(token)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    assert notes[0] == KERNEL
    assert SPEEDS.fullmatch(notes[-1])


def test_a_wrong_kernel_writes_another_text(
    own: Borrowed, opened: Open, checkpoint: Checkpoint
) -> None:
    path = own.steps_dir / EXERCISE.step_path.name
    path.write_text(path.read_text().replace("return sum\n", "return 2 * sum\n"))
    engine, _ = opened()
    course = engines.Engine(checkpoint.config, checkpoint.weights)
    prompt, token = np.arange(1, 6)[None], np.array([7])
    for each in (engine, course):
        each.prefill(prompt)
    assert not np.allclose(engine.decode(token), course.decode(token), atol=0.1)


def test_without_a_cache_the_learners_model_writes(opened: Open) -> None:
    engine, notes = opened(cache=False)
    assert type(engine).__name__ == "EagerEngine"
    assert notes == []
