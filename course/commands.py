"""How a learner types a command here: with pixi, or with uv."""

import sys
from pathlib import Path


def runner() -> str:
    """What stands before a command: the tool that made this environment."""
    made_by_pixi = Path(sys.prefix, "conda-meta", "pixi").exists()
    return "pixi run" if made_by_pixi else "uv run"


def installer() -> str:
    """What installs the course's packages again."""
    return "pixi install" if runner() == "pixi run" else "uv sync"


def typed(command: str) -> str:
    """A command as a learner types it, such as ``pixi run course hint 08``."""
    return f"{runner()} {command}"
