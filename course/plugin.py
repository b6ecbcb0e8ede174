"""The pytest plugin that grades steps: ``pytest tests/test_step_08.py``.

A learner waits while a worker imports MAX. So the worker starts first, and slow imports
of this process come later.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from course.foreign import refuse_foreign_packages
from course.process import WorkerProcess
from course.registry import ROOT, load_registry
from course.streams import mend_streams

mend_streams(go_on=True)
refuse_foreign_packages()  # before any import finds one

WORKER = pytest.StashKey[WorkerProcess]()


def names_checkers_alone(arguments: Sequence[str]) -> bool:
    """Says whether the arguments name checkers, or checks in them, and no others."""
    checkers = {ROOT / exercise.checker_path for exercise in load_registry()}
    named = [Path(argument.split("::")[0]).resolve() for argument in arguments]
    return bool(named) and checkers.issuperset(named)


# Started here: pytest looks for plugins for 0.25 s before it calls a hook.
early = None
named = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
if names_checkers_alone(named) and "--collect-only" not in sys.argv:
    early = WorkerProcess()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("course", "grading the steps")
    add = group.addoption
    add("--solutions", action="store_true", help="grade the solutions, not the steps")
    add("--mine", action="store_true", help="never borrow an unfinished earlier step")
    add("--limit", type=float, default=60.0, help="seconds a call may take (60)")
    add("--steps-dir", type=Path, default=ROOT / "steps", help="where the steps are")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Provides a worker if the command grades steps alone; else ends the early one."""
    options = early_config.known_args_namespace
    if not has_temporary_folder() and options.capture == "fd":
        options.capture = "sys"  # pytest keeps what it captures in a file otherwise
    if names_checkers_alone(options.file_or_dir) and not options.collectonly:
        early_config.stash[WORKER] = early or WorkerProcess()
    elif early:
        early.close()
    return (yield)


def has_temporary_folder() -> bool:
    """Says whether Python finds a folder for temporary files; containers lack one."""
    try:
        return bool(tempfile.gettempdir())
    except FileNotFoundError:
        return False


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Registers the grader; its report replaces pytest's if only steps are graded."""
    from course.grader import Grader, QuietReporter

    plugins = config.pluginmanager
    grader = Grader(config, spare=config.stash.get(WORKER, None))
    plugins.register(grader, "course-grader")
    # Here --trace prints the whole traceback; in pytest it starts the debugger.
    plugins.unregister(name="pdbtrace")
    standard = plugins.get_plugin("terminalreporter")
    if grader.spare and standard is not None:
        plugins.unregister(standard)
        plugins.register(QuietReporter(config), "terminalreporter")
        grader.use_report()


@pytest.fixture
def step() -> None:
    """Stands for the module under test, which the grader gives to the check."""
