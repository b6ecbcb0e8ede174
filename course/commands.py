"""Commands as a learner types them: with pixi or with uv."""

import sys
from pathlib import Path


def runner() -> str:
    """Returns ``pixi run`` or ``uv run``, after the tool that made the environment."""
    made_by_pixi = Path(sys.prefix, "conda-meta", "pixi").exists()
    return "pixi run" if made_by_pixi else "uv run"


def installer() -> str:
    """Returns the command that installs the course's packages again."""
    return "pixi install" if runner() == "pixi run" else "uv sync"


def typed(command: str) -> str:
    """Returns a command as a learner types it: ``pixi run course hint 08``."""
    return f"{runner()} {command}"


def typed_with(extra: str, command: str) -> str:
    """Returns a command that needs packages which most commands do without."""
    option = "-e" if runner() == "pixi run" else "--extra"
    return typed(f"{option} {extra} {command}")
