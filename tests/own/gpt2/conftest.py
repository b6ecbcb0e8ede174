"""Fixtures for the tests of the commands."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

from gpt2.commands.cli import continue_text
from tests.own.gpt2.samples import (
    BPE,
    FakeEngine,
    TableEngine,
    prefixed,
    tensors,
    write_config,
)

SOLUTIONS = Path(__file__).parents[3] / "solutions"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Makes a complete checkpoint: one float32 file, keys with the prefix."""
    write_config(tmp_path)
    BPE.save(str(tmp_path / "tokenizer.json"))
    save_file(prefixed(tensors()), tmp_path / "model.safetensors")
    return tmp_path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeEngine]:
    """Replaces the command's engine by one that writes a given text."""

    def replace(text: str = " there was a girl.", margin: float = 4.0) -> FakeEngine:
        engine = FakeEngine(BPE.encode(text).ids, margin)
        monkeypatch.setattr("gpt2.writer.open_engine", lambda *_, **__: engine)
        return engine

    return replace


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> TableEngine:
    """Replaces the command's engine by one that depends on the whole text."""
    engine = TableEngine()
    monkeypatch.setattr("gpt2.writer.open_engine", lambda *_, **__: engine)
    return engine


@pytest.fixture
def run(folder, monkeypatch):
    """Runs the command in this process, with the tiny checkpoint by default.

    Without ``fake`` there is no engine: a refused command never compiles a model.
    """
    monkeypatch.setattr("gpt2.writer.open_engine", None)

    def invoke(*arguments, stdin=None, command=continue_text):
        if "--model" not in arguments:
            arguments = ("--model", str(folder), *arguments)
        return CliRunner().invoke(command, arguments, input=stdin)

    return invoke


@pytest.fixture
def steps(tmp_path, monkeypatch):
    """Makes a learner's folder ``steps`` and imports the model from there."""

    config = (SOLUTIONS / "solution_01.py").read_text()
    blank = "raise NotImplementedError('Later.')"
    desk_files = {"__init__": "", "step_01": config, "encore_kv_cache": blank}

    def open_desk(**files):
        desk = tmp_path / "desk" / "steps"
        desk.mkdir(parents=True)
        for name, code in (desk_files | files).items():
            (desk / f"{name}.py").write_text(code)
        for name in [name for name in sys.modules if name.split(".")[0] == "steps"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(desk.parent)

    yield open_desk
    for name in [name for name in sys.modules if name.split(".")[0] == "steps"]:
        del sys.modules[name]  # the next test has another folder
