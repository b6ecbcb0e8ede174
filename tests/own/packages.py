"""Packages that only the course's own tests need."""

from typing import Any

import pytest

HOW = "needs more packages: pixi run test, or uv run --extra test pytest --solutions"


def needed(name: str) -> Any:
    """Imports a package, or skips the test and says how to install the package."""
    return pytest.importorskip(name, reason=HOW)
