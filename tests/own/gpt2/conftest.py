"""Fixtures for the tests of the commands."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

from course.registry import Exercise, load_registry
from course.state import Progress
from course.step_imports import leave_steps
from gpt2.commands.cli import continue_text
from gpt2.learner.borrowing import borrow
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
def steps(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Makes a learner's folder, and imports ``steps`` from there, borrowing nothing.

    Files are given by name and text; without any, every exercise in Python is solved.
    """
    config = (SOLUTIONS / "solution_01.py").read_text()
    solved = {e.file: e.solved for e in load_registry() if e.in_python}

    def open_desk(**files: str) -> Path:
        desk = tmp_path / "desk" / "steps"
        desk.mkdir(parents=True, exist_ok=True)
        for name, code in ({"step_01": config} | files if files else solved).items():
            (desk / f"{name}.py").write_text(code)
        borrow(desk, strict=True)
        return desk

    yield open_desk
    leave_steps()  # the next test has another folder


@pytest.fixture
def passed() -> Callable[..., None]:
    """Records that files in a learner's folder passed their checks, without a check."""

    def record(desk: Path, *exercises: Exercise) -> None:
        progress = Progress(desk)
        for each in exercises:
            digest = progress.digest(each)
            progress.record(each, digest, passed=True, seconds=1.0)

    return record
