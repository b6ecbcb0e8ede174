"""Fixtures of the command's tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file
from samples import BPE, FakeEngine, prefixed, tensors, write_config

from gpt2.cli import continue_text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole checkpoint: one float32 file, keys with their prefix."""
    write_config(tmp_path)
    BPE.save(str(tmp_path / "tokenizer.json"))
    save_file(prefixed(tensors()), tmp_path / "model.safetensors")
    return tmp_path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeEngine]:
    """Replaces the engine of the command by one that writes a given text."""

    def replace(text: str = " there was a girl.", margin: float = 4.0) -> FakeEngine:
        engine = FakeEngine(BPE.encode(text).ids, margin)
        monkeypatch.setattr("gpt2.session.open_engine", lambda *_, **__: engine)
        return engine

    return replace


@pytest.fixture
def run(folder, monkeypatch):
    """Runs the command in this process, with the tiny checkpoint by default.

    Without ``fake`` there is no engine: what is to be refused never compiles one.
    """
    monkeypatch.setattr("gpt2.session.open_engine", None)

    def invoke(*arguments, stdin=None, command=continue_text):
        if "--model" not in arguments:
            arguments = ("--model", str(folder), *arguments)
        return CliRunner().invoke(command, arguments, input=stdin)

    return invoke
