"""How a learner types a command here: with pixi, or with uv."""

import os


def typed(task: str) -> str:
    """The command for one of the course's tasks, such as "hint 08"."""
    if "PIXI_PROJECT_ROOT" in os.environ:
        return f"pixi run {task}"
    return f"uv run course {task}"
