"""The fixture that the tests of the course share."""

from pathlib import Path

import pytest

from course.registry import load_registry


@pytest.fixture
def solved_steps(tmp_path: Path) -> Path:
    """A folder like ``steps/`` in which every exercise is solved."""
    folder = tmp_path / "steps"
    folder.mkdir()
    for exercise in load_registry():
        (folder / exercise.step_path.name).write_text(exercise.solved)
    return folder
