"""``import steps.step_NN`` reads a learner's file as it is now."""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from course.step_imports import leave_steps, use_steps


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for steps, in a process that stores bytecode."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    yield tmp_path
    leave_steps()


def test_a_file_that_is_saved_twice_in_a_second(folder: Path) -> None:
    """Neither the size nor the time tells the two files apart."""
    step = folder / "step_01.py"
    for number in (1, 2):
        step.write_text(f"x = {number}\n")
        os.utime(step, (1e9, 1e9))
        use_steps(folder, {})
        assert import_module("steps.step_01").x == number
    assert list(folder.iterdir()) == [step]
