"""The pytest plugin that grades steps: ``pytest tests/test_step_08.py``.

A learner waits for MAX to be imported, so the worker that does so is started first;
what takes time to import here follows.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from course.foreign import refuse_foreign_packages
from course.process import WorkerProcess
from course.registry import ROOT, load_registry

refuse_foreign_packages()  # before anything imports them

WORKER = pytest.StashKey[WorkerProcess]()


def names_checkers_alone(arguments: Sequence[str]) -> bool:
    """Whether there are arguments, and each is a checker or a check of one."""
    checkers = {ROOT / exercise.checker_path for exercise in load_registry()}
    named = [Path(argument.split("::")[0]).resolve() for argument in arguments]
    return bool(named) and checkers.issuperset(named)


# Pytest calls no hook for the next quarter of a second: it looks for plugins.
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


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Makes sure that a worker starts if the command grades steps and nothing else."""
    options = early_config.known_args_namespace
    if names_checkers_alone(options.file_or_dir) and not options.collectonly:
        early_config.stash[WORKER] = early or WorkerProcess()
    elif early:
        early.close()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Prepares the grader, and its own report when only steps are graded."""
    from course.grader import Grader, QuietReporter

    plugins = config.pluginmanager
    grader = Grader(config, spare=config.stash.get(WORKER, None))
    plugins.register(grader, "course-grader")
    # Here --trace shows the whole traceback; pytest's own meaning is the debugger.
    plugins.unregister(name="pdbtrace")
    standard = plugins.get_plugin("terminalreporter")
    if grader.spare and standard is not None:
        plugins.unregister(standard)
        plugins.register(QuietReporter(config), "terminalreporter")
        grader.use_report()


@pytest.fixture
def step() -> None:
    """The module under test. The grader hands it to the check itself."""
