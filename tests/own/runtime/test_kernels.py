"""Kernels that are compiled together: all are found, and missing ones are compiled."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from max import _eager_policy as policy
from max._mlir_context import in_default_mlir_context

from runtime import kernel_batches
from runtime.kernel_batches import BATCHES, batch_path, build_module, load_batch
from runtime.kernels import Kernels

USE = """
from runtime.kernels import use_kernels
from max.driver import CPU
from max.experimental.tensor import Tensor, default_device

def refuse(what, seconds):
    raise SystemExit(f"compiles {what}")

use_kernels().announce = refuse
with default_device(CPU()):
    print((Tensor([1.0, 2.0]) + 1.0).to_numpy().tolist())
"""


class Announced:
    """Records the announcements of a compile."""

    def __init__(self):
        self.said = []

    @contextmanager
    def __call__(self, what, seconds):
        self.said.append((what, seconds))
        yield


@pytest.fixture
def announced():
    return Announced()


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("MODULAR_CACHE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def kernels(monkeypatch):
    """Kernels that are in use only during a test."""
    monkeypatch.setattr(policy, "allow_lazy_compile", policy.allow_lazy_compile)
    return Kernels()


@pytest.mark.parametrize("name", BATCHES)
def test_max_knows_every_name(name):
    module = in_default_mlir_context(build_module)(BATCHES[name])
    assert sorted(module.top_level_graph_names()) == sorted(BATCHES[name])


def test_no_kernel_is_in_two_batches():
    names = [key for keys in BATCHES.values() for key in keys]
    assert len(set(names)) == len(names)


def test_another_process_finds_them(announced):
    assert load_batch("first", announced).keys() == set(BATCHES["first"])
    command, env = [sys.executable, "-c", USE], dict(os.environ)
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[2.0, 3.0]\n", "")


@pytest.mark.parametrize("there", [None, b"", b"not kernels"])
def test_a_missing_or_damaged_file_is_made_again(
    monkeypatch, tmp_path, announced, there
):
    load_batch("first", announced)
    announced.said.clear()
    good = batch_path("first").read_bytes()
    monkeypatch.setenv("MODULAR_CACHE_DIR", str(tmp_path))
    if there is not None:
        batch_path("first").parent.mkdir(parents=True)
        batch_path("first").write_bytes(there)

    def compile_in_no_time(command, **options):
        assert options["env"]["MODULAR_CACHE_DIR"] != str(tmp_path)
        Path(command[-1]).write_bytes(good)

    monkeypatch.setattr(kernel_batches.subprocess, "run", compile_in_no_time)
    for _ in range(2):
        assert load_batch("first", announced).keys() == set(BATCHES["first"])
    assert announced.said == [("9 kernels", 25)]


def test_where_they_cannot_be_compiled_there_are_none(folder, monkeypatch, announced):
    def fail(command, **options):
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(kernel_batches.subprocess, "run", fail)
    assert load_batch("first", announced) == {}


def test_where_they_cannot_be_kept_there_are_none(folder, announced):
    (folder / "gpt2-on-max").write_text("a file where the folder should be")
    assert load_batch("first", announced) == {}


def test_a_kernel_of_no_batch_is_compiled_for_itself(kernels, announced):
    family = SimpleNamespace(cache={})
    kernels.announce = announced
    kernels.compile_alone = lambda family, key, *rest: (key, rest)
    assert kernels.provide(family, "resize", "CPU") == ("resize", ("CPU",))
    assert announced.said == [("the kernel resize", None)]


def test_a_batch_that_cannot_be_compiled_is_tried_once(kernels, monkeypatch):
    tried, family = [], SimpleNamespace(cache={})
    monkeypatch.setattr(kernel_batches, "load_batch", lambda *a: tried.append(a) or {})
    kernels.interpreter = SimpleNamespace(registered_families=lambda: [family])
    kernels.compile_alone = lambda family, key, *rest: key
    first, second = BATCHES["first"][:2]
    assert kernels.provide(family, first) == first
    assert kernels.provide(family, second) == second
    assert len(tried) == 1


def test_results_are_those_of_the_operation():
    """A kernel with a wrong name would give another operation's result."""
    from max.experimental import functional as F
    from max.experimental.tensor import Tensor

    from runtime.defaults import one_graph

    x = np.array([0.5, 1.0, 2.0], np.float32)
    with one_graph():
        given = Tensor.from_dlpack(x)
        results = [F.sqrt(given), F.exp(given), given * given, given - 1.0]
    for result, expected in zip(
        results, [np.sqrt(x), np.exp(x), x * x, x - 1], strict=True
    ):
        np.testing.assert_allclose(result.to_numpy(), expected, rtol=1e-5)
