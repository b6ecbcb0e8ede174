"""The programs ``s01``, ``s02``, …: each checks the exercise that it is named after."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from course.foreign import refuse_foreign_packages
from course.registry import ROOT, Exercise, find_exercise
from course.streams import mend_streams


def main() -> None:
    """Checks the exercise whose name this program has."""
    mend_streams()
    refuse_foreign_packages()
    check(find_exercise(Path(sys.argv[0]).name), sys.argv[1:])


def check(exercise: Exercise, options: Sequence[str]) -> NoReturn:
    """Runs ``pytest tests/test_step_08.py``, from any folder, and exits."""
    sys.argv = ["pytest", str(ROOT / exercise.checker_path), *options]
    import pytest  # imported late: its plugin reads sys.argv

    sys.exit(pytest.console_main())
