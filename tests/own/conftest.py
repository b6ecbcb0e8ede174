"""Fixtures that the course's own tests share."""

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from course.messages import Compiling
from course.process import WorkerProcess

os.environ["COURSE_NO_BACKGROUND"] = "1"  # no test leaves a process behind


@pytest.fixture(scope="module")
def compiled() -> list[str]:
    """The kernels that the shared worker compiled because no batch has them."""
    return []


@pytest.fixture(scope="module")
def worker(compiled: list[str]) -> Iterator[WorkerProcess]:
    """A worker that has MAX loaded; a module's tests share it."""

    def note(message: Compiling) -> None:
        if message.what.startswith("the kernel"):
            compiled.append(message.what)

    with closing(WorkerProcess(note)) as worker:
        yield worker
