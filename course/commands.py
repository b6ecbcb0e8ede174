"""How a learner types a command here: with pixi, or with uv."""

import os

PIXI = "PIXI_PROJECT_ROOT" in os.environ
RUN = "pixi run" if PIXI else "uv run"


def typed(task: str) -> str:
    """The command for one of the course's tasks, such as "hint 08"."""
    return f"{RUN} {task}" if PIXI else f"{RUN} course {task}"
