"""Settings for the whole suite."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from course.process import WorkerProcess

# Before any test imports MAX: its default executor would compile every operation in
# processes of its own besides.
os.environ.setdefault("MAX_EAGER_EXECUTOR", "interpreter")


class Scheduler(LoadFileScheduling):
    """Keeps each file's tests in one process, but spreads the catalogue over all."""

    def _split_scope(self, nodeid: str) -> str:
        if "::test_every_mistake_is_named" in nodeid:  # minutes in all
            return nodeid
        return super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: Any, log: Any) -> Scheduler:
    return Scheduler(config, log)


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerProcess]:
    """A worker that has MAX loaded; a module's tests share it."""
    worker = WorkerProcess()
    yield worker
    worker.close()
