"""Runs Python and pytest in the repository."""

import os
import subprocess
import sys
from pathlib import Path

from course.registry import ROOT


def python_run(*arguments: str | Path, **environment: str) -> tuple[int, str]:
    """Runs Python; returns its exit code and all that it prints."""
    command = [sys.executable, *map(str, arguments)]
    env = os.environ | environment
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def pytest_run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Runs pytest; returns its exit code and all that it prints."""
    return python_run("-m", "pytest", *arguments, **environment)
