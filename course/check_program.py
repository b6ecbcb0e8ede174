"""The programs ``s01``, ``s02``, …: each checks the exercise that it is named after."""

import os
import sys

from course.foreign import current_folder, refuse_foreign_packages
from course.streams import mend_streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from course.registry import Exercise


def main() -> None:
    """Checks the exercise whose name this program has."""
    check_named(os.path.basename(sys.argv[0]))


def check_file(checker: str) -> "NoReturn":
    """Runs a checker that was started as a script: ``python tests/test_step_08.py``."""
    check_named(os.path.basename(checker).removeprefix("test_"))


def check_named(name: str) -> "NoReturn":
    """Checks the exercise of this name, with the program's options."""
    mend_streams()
    refuse_foreign_packages()
    from course.registry import find_exercise

    check(find_exercise(name), sys.argv[1:])


def check(exercise: "Exercise", options: "Sequence[str]") -> "NoReturn":
    """Runs ``pytest tests/test_step_08.py``, from any folder, and exits."""
    import pytest  # imported late: its plugin reads sys.argv

    from course.registry import ROOT

    if not current_folder():
        os.chdir(ROOT)
    # pytest cannot read a path with "::" or "["; the course's own path may have them.
    checker = os.path.relpath(ROOT / exercise.checker_path)
    sys.argv = ["pytest", checker, *options]
    sys.exit(pytest.console_main())
