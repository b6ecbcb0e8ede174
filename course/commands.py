"""How a learner types a command here: with pixi, or with uv."""

import os


def runner() -> str:
    """What stands before a command."""
    return "pixi run" if "PIXI_PROJECT_ROOT" in os.environ else "uv run"


def typed(task: str) -> str:
    """The command for one of the course's tasks, such as "hint 08"."""
    return f"pixi run {task}" if runner() == "pixi run" else f"uv run course {task}"
