"""What the tests of the course share: a desk with the solutions in the steps' place."""

from pathlib import Path

import pytest

from course.registry import ROOT, load_registry


def as_step(text: str) -> str:
    """A solution's text as a learner would have written it in ``steps/``."""
    return text.replace("solutions.solution_", "steps.step_")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder like ``steps/`` in which every exercise is solved."""
    folder = tmp_path / "steps"
    folder.mkdir()
    for exercise in load_registry():
        text = as_step((ROOT / exercise.solution_path).read_text())
        (folder / exercise.step_path.name).write_text(text)
    return folder
