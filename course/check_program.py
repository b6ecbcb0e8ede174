"""The programs ``s01``, ``s02``, …: each checks the exercise that it is named after."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from course.foreign import refuse_foreign_packages
from course.registry import ROOT, Exercise, find_exercise


def main() -> None:
    """Checks the exercise whose name this program has."""
    refuse_foreign_packages()
    check(find_exercise(Path(sys.argv[0]).name), sys.argv[1:])


def check_file(checker: str) -> NoReturn:
    """Runs a checker that was started as a script: ``python tests/test_step_08.py``."""
    refuse_foreign_packages()
    check(find_exercise(Path(checker).stem.removeprefix("test_")), sys.argv[1:])


def check(exercise: Exercise, options: Sequence[str]) -> NoReturn:
    """Runs ``pytest tests/test_step_08.py``, from any folder, and exits."""
    sys.argv = ["pytest", str(ROOT / exercise.checker_path), *options]
    import pytest  # imported late: its plugin reads sys.argv

    sys.exit(pytest.console_main())
