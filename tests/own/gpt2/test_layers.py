"""``gpt2 layers`` names the step in which a learner's model differs."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from course.registry import load_registry
from gpt2.commands.layers import layers
from tests.own.gpt2.samples import POSITIONS


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Makes a package ``steps`` in which every step is solved."""
    folder = tmp_path / "steps"
    folder.mkdir()
    for exercise in load_registry():
        (folder / exercise.step_path.name).write_text(exercise.solved)
    package = ModuleType("steps")
    package.__path__ = [str(folder)]
    for name in [n for n in sys.modules if n.split(".")[0] == "steps"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "steps", package)
    yield folder
    for name in [n for n in sys.modules if n.startswith("steps.")]:
        del sys.modules[name]


@pytest.fixture
def compare(steps: Path, folder: Path) -> Callable[..., Result]:
    """Runs the command on a random checkpoint; a test may edit ``steps`` first."""

    def run(*options: str) -> Result:
        return CliRunner().invoke(layers, ["--model", str(folder), *options])

    return run


def edit(steps: Path, number: int, find: str, replace: str) -> None:
    path = steps / f"step_{number:02}.py"
    text = path.read_text()
    assert find in text
    path.write_text(text.replace(find, replace))


def test_equal_models(compare: Callable[..., Result]) -> None:
    result = compare()
    assert result.exit_code == 0, result.output
    assert "computes what the reference computes" in result.output


@pytest.mark.parametrize("text", ["", "!" * POSITIONS])
def test_the_shortest_and_the_longest_text(
    compare: Callable[..., Result], text: str
) -> None:
    result = compare("--prompt", text)
    assert result.exit_code == 0, result.output
    assert "computes what the reference computes" in result.output


def test_first_difference_names_its_step(
    steps: Path, compare: Callable[..., Result]
) -> None:
    edit(steps, 4, 'approximate="tanh"', 'approximate="none"')
    edit(steps, 12, "self.ln_f(x)", "x")
    result = compare()
    assert result.exit_code == 1
    assert "The first difference is in step 04" in result.output
    assert "h.0.mlp" in result.output


def test_unfinished_step_is_named(steps: Path, compare: Callable[..., Result]) -> None:
    edit(
        steps,
        8,
        "    length, head_size",
        "    raise NotImplementedError('Later.')\n    length, head_size",
    )
    result = compare()
    assert result.exit_code == 1
    assert "steps/step_08.py is not finished: Later." in result.output
