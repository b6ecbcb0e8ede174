"""With COURSE_PLAIN_MAX=1 no patch is on, and steps still pass."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from max import _eager_policy as policy
from max.driver import CPU
from max.experimental import functional as F
from max.experimental.nn import embedding, linear
from max.experimental.tensor import Tensor
from max.graph import KernelLibrary

from course.registry import ROOT
from runtime.compiled_graphs import load_graph
from runtime.ctrl_c import interruptible
from runtime.custom_ops import without_kernel_check
from runtime.direct.operations import direct_operations
from runtime.initial_weights import draw_with_numpy
from runtime.kernels import Kernels

# One kernel is enough for them: on a new machine MAX compiles each for itself.
STEPS = ["01", "05", "06"]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PLAIN_MAX", "1")


def insides() -> list[object]:
    """The functions of MAX and Python that patches replace."""
    return [
        policy.allow_lazy_compile,
        Tensor.__repr__,
        Tensor.__getitem__,
        F.add,
        F.buffer_store,
        linear.random,
        embedding.random,
        KernelLibrary.verify_custom_op,
        signal.getsignal(signal.SIGINT),
    ]


def test_nothing_in_max_is_changed() -> None:
    before = insides()
    Kernels()
    draw_with_numpy()
    with without_kernel_check(), interruptible(), direct_operations():
        assert insides() == before


def test_a_kept_graph_is_neither_read_nor_written(tmp_path: Path) -> None:
    compiled = Mock()
    made = load_graph(tmp_path / "graph.mef", {}, CPU(), lambda: compiled, 1, None)
    assert made is compiled.engine_model
    compiled.export_mef.assert_not_called()
    assert list(tmp_path.iterdir()) == []


def test_steps_pass() -> None:
    files = [f"tests/test_step_{number}.py" for number in STEPS]
    options = ["--solutions", "--limit", "600", "-q"]
    command = [sys.executable, "-m", "pytest", *files, *options]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Passed in") == len(STEPS)
