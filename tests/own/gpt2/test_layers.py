"""``gpt2 layers`` names the stage and the step in which a learner's model differs."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from course.commands import typed
from course.registry import load_registry
from gpt2.commands.layers import layers
from tests.own.gpt2.samples import POSITIONS


@pytest.fixture
def desk(steps: Callable[..., Path]) -> Path:
    """Makes a learner's folder in which every step is solved."""
    return steps()


@pytest.fixture
def compare(desk: Path, folder: Path) -> Callable[..., Result]:
    """Runs the command on a random checkpoint; a test may edit ``desk`` first."""

    def run(*options: str) -> Result:
        place = ["--model", str(folder), "--steps-dir", str(desk)]
        return CliRunner().invoke(layers, [*place, *options])

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
    desk: Path, compare: Callable[..., Result]
) -> None:
    edit(desk, 4, 'approximate="tanh"', 'approximate="none"')
    edit(desk, 12, "self.ln_f(x)", "x")
    result = compare()
    assert result.exit_code == 1
    assert "The first difference is in step 04" in result.output
    assert "h.0.active" in result.output
    assert "h.0.mlp" not in result.output
    assert f"Look at {desk}/step_04.py" in result.output
    assert typed("s04 --steps-dir") in result.output


def test_unfinished_step_is_named(desk: Path, compare: Callable[..., Result]) -> None:
    edit(
        desk,
        8,
        "    length, head_size",
        "    raise NotImplementedError('Later.')\n    length, head_size",
    )
    result = compare()
    assert result.exit_code == 1
    assert "steps/step_08.py is not finished: Later." in result.output


def rows(result: Result) -> dict[str, str]:
    """Whose each layer is, by the layer's name."""
    lines = [line for line in result.stdout.splitlines() if " ✓" in line]
    return {line.split()[0]: re.split(" {2,}", line.strip())[2] for line in lines}


def test_it_says_which_layers_are_borrowed(
    desk: Path, compare: Callable[..., Result]
) -> None:
    for exercise in load_registry():
        if exercise.key not in ("s02", "s04", "s08"):
            (desk / exercise.step_path.name).unlink(missing_ok=True)
    result = compare()
    assert result.exit_code == 0, result.output
    assert "yours: steps 02, 04, 08; borrowed: the rest" in result.stderr
    whose = rows(result)
    assert whose["wte"] == whose["ln_f"] == "borrowed"
    assert whose["h.0"] == "borrowed, with your steps 02, 04, 08"
    assert whose["logits"] == "borrowed, with your steps 02, 04, 08"


def test_a_wrong_block_is_opened(desk: Path, compare: Callable[..., Result]) -> None:
    """Blocks without a difference have one row each, and unused blocks have none."""
    edit(desk, 12, "for block in self.h:", "for block in [self.h[0], self.h[0]]:")
    result = compare()
    assert list(rows(result)) == ["wte", "wpe", "h.0"]
    edit(desk, 4, 'approximate="tanh"', 'approximate="none"')
    opened = [name for name in rows(compare()) if name.startswith("h.")]
    assert opened[0] == "h.0.in"
    assert opened[-1] == "h.0.hidden"


def test_a_wrong_step_inside_a_borrowed_layer(
    desk: Path, compare: Callable[..., Result]
) -> None:
    edit(desk, 8, "sqrt(head_size)", "head_size")
    (desk / "step_09.py").unlink()
    result = compare()
    assert result.exit_code == 1
    assert "The first difference is in step 08" in result.stdout
    assert "h.0.shares" in result.stdout


def test_nothing_is_the_learners_yet(
    desk: Path, compare: Callable[..., Result]
) -> None:
    for exercise in load_registry():
        (desk / exercise.step_path.name).unlink(missing_ok=True)
    result = compare()
    assert result.exit_code == 0
    assert "Nothing is yours yet" in result.stdout
    assert typed("course next") in result.stderr


def test_strict_borrows_nothing(desk: Path, compare: Callable[..., Result]) -> None:
    (desk / "step_12.py").unlink()
    result = compare("--strict")
    assert result.exit_code == 1
    assert f"there is no file {desk}/step_12.py" in result.output
