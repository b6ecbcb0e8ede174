"""The pytest plugin that grades steps: ``pytest tests/test_step_08.py``.

A learner waits while a worker imports MAX. So the worker starts first, and slow imports
of this process come later.
"""

import argparse
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from course.commands import installer
from course.foreign import refuse_foreign_packages
from course.process import WorkerProcess
from course.registry import ROOT, load_registry
from course.streams import mend_streams
from runtime.background import compile_in_background
from runtime.children import end_with_launcher, end_with_parent
from runtime.ctrl_c import raise_on_ctrl_c

mend_streams(go_on=True)
refuse_foreign_packages()  # before any import finds one
end_with_launcher()

WORKER = pytest.StashKey[WorkerProcess]()
GRADER = "course-grader"
# With one of these options pytest only lists tests, or prepares them.
LISTING = (
    "collectonly",
    "setuponly",
    "setupplan",
    "showfixtures",
    "show_fixtures_per_test",
)


def names_checkers_alone(arguments: Sequence[str]) -> bool:
    """Says whether the arguments name checkers, or checks in them, and no others."""
    checkers = {ROOT / exercise.checker_path for exercise in load_registry()}
    named = [Path(argument.split("::")[0]).resolve() for argument in arguments]
    return bool(named) and checkers.issuperset(named)


# Started here: pytest looks for plugins for 0.25 s before it calls a hook.
early: list[WorkerProcess] = []
named = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
if names_checkers_alone(named) and "--collect-only" not in sys.argv:
    early.append(WorkerProcess())


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("course", "grading the steps")
    add = group.addoption
    add("--solutions", action="store_true", help="grade the solutions, not the steps")
    add("--mine", action="store_true", help="never borrow an unfinished earlier step")
    add("--no-voice", action="store_true", help="no text by the model after a check")
    add("--limit", type=float, default=60.0, help="seconds a call may take (60)")
    add("--steps-dir", type=Path, default=ROOT / "steps", help="where the steps are")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Provides a worker if the command grades steps alone; else ends the early one."""
    refuse_another_copy(early_config.rootpath)
    options = early_config.known_args_namespace
    if not has_temporary_folder() and options.capture == "fd":
        options.capture = "sys"  # pytest keeps what it captures in a file otherwise
    if names_checkers_alone(options.file_or_dir) and runs_tests(options):
        early_config.stash[WORKER] = early.pop() if early else WorkerProcess()
    else:
        raise_on_ctrl_c()  # pytest prints its summary then
        while early:
            early.pop().close()
    return (yield)


def has_temporary_folder() -> bool:
    """Says whether Python finds a folder for temporary files; containers lack one."""
    try:
        return bool(tempfile.gettempdir())
    except FileNotFoundError:
        return False


def refuse_another_copy(folder: Path) -> None:
    """Ends pytest if the folder is a course, but not the one that is installed."""
    if (folder / "course" / "plugin.py").exists() and folder.resolve() != ROOT:
        text = f"The installed course is in {ROOT}, and {folder} is another copy."
        raise pytest.UsageError(f"{text} Install this one: {installer()}")


def runs_tests(options: argparse.Namespace) -> bool:
    """Says whether pytest runs tests with these options."""
    return not any(getattr(options, name, False) for name in LISTING)


@pytest.hookimpl(wrapper=True)  # before xdist reads numprocesses
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Registers the grader after all plugins, so that its reporter replaces theirs."""
    from course.grader import Grader

    if hasattr(config, "workerinput"):  # a process of pytest -n
        end_with_parent()
    if WORKER in config.stash:
        config.option.numprocesses = 0  # the checks of a step share one process
    graded = runs_tests(config.option)
    grader = Grader(config, spare=config.stash.get(WORKER, None), grades=graded)
    config.pluginmanager.register(grader, GRADER)
    result = yield
    if WORKER in config.stash and graded and not config.option.solutions:
        compile_in_background()  # after the report, which a learner reads now
    return result


@pytest.fixture
def step(request: pytest.FixtureRequest) -> None:
    """Stands for the module under test, which the grader gives to the check."""
    if not request.config.pluginmanager.has_plugin(GRADER):
        cure = "Run pytest in the course's folder, or add: -p course.plugin"
        pytest.fail(f"The course's grader is not loaded. {cure}", pytrace=False)
