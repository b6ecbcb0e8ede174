"""Settings for the whole suite."""

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from runtime.defaults import interpret_operations

interpret_operations()  # before any test imports MAX

WAITING = {"test_endings.py", "test_quiet_ctrl_c.py"}
ONE_GRAPH = {"test_cache.py", "test_compiled.py", "test_engine.py", "test_program.py"}


class Scheduler(LoadFileScheduling):
    """Keeps each file's tests in one process, with two exceptions.

    The catalogue takes minutes, so all processes share its tests. Files that need the
    same compiled graphs run in one process, so that each graph is compiled once.
    """

    def _split_scope(self, nodeid: str) -> str:
        if "::test_every_mistake_is_named" in nodeid:
            return nodeid
        file = super()._split_scope(nodeid)
        return "one graph" if Path(file).name in ONE_GRAPH else file


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Loads the grader if pytest has not read the course's pyproject.toml."""
    pluginmanager.import_plugin("course.plugin")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts files that take long first, so that no process works alone at the end."""
    items.sort(key=lambda item: item.path.name not in ONE_GRAPH | WAITING)


@pytest.hookimpl(optionalhook=True)  # without xdist, too
def pytest_xdist_make_scheduler(config: Any, log: Any) -> Scheduler:
    return Scheduler(config, log)
