"""Child processes end and pause with the process that started them."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from runtime.children import ChildGroup, run_child

CHILD = ["sh", "-c", "echo $$; exec sleep 600"]
CODE = f"from runtime.children import run_child; run_child({CHILD!r})"


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    """A process with a child that prints its number and sleeps."""
    command = [sys.executable, "-c", CODE]
    with subprocess.Popen(
        command, env=dict(os.environ), stdout=-1, text=True, process_group=0
    ) as process:
        yield process
        process.kill()


def child_of(parent: subprocess.Popen[str]) -> psutil.Process:
    """Reads the number that the child printed."""
    assert parent.stdout
    return psutil.Process(int(parent.stdout.readline()))


def until(true: Callable[[], object]) -> None:
    """Waits at most 5 s until something is true."""
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_child_ends_with_its_parent(parent, number: signal.Signals) -> None:
    child = child_of(parent)
    parent.send_signal(number)
    assert psutil.wait_procs([child], timeout=5)[1] == []


def test_a_child_pauses_with_its_parent(parent) -> None:
    """Ctrl-Z and fg; a paused child ends with its parent, too."""
    child = child_of(parent)
    both = [child, psutil.Process(parent.pid)]
    for _ in range(2):
        parent.send_signal(signal.SIGTSTP)
        until(lambda: {p.status() for p in both} == {psutil.STATUS_STOPPED})
        parent.send_signal(signal.SIGCONT)
        until(lambda: child.status() == psutil.STATUS_SLEEPING)
    parent.send_signal(signal.SIGTSTP)
    until(lambda: {p.status() for p in both} == {psutil.STATUS_STOPPED})
    parent.kill()
    assert psutil.wait_procs([child], timeout=5)[1] == []


def test_nothing_that_a_command_started_is_left() -> None:
    command = ["sh", "-c", "sleep 600 >&- & echo $!"]
    done = run_child(command, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    until(lambda: not psutil.pid_exists(int(done.stdout)))


def test_a_command_does_not_see_what_a_library_has_set() -> None:
    library = ctypes.CDLL(None)
    library.setenv(b"SET_BY_A_LIBRARY", b"1", 1)  # os.environ does not have it
    try:
        done = run_child(["env"], capture_output=True, text=True)
    finally:
        library.unsetenv(b"SET_BY_A_LIBRARY")
    assert "PATH=" in done.stdout
    assert "SET_BY_A_LIBRARY" not in done.stdout


def test_a_group_is_killed_once() -> None:
    group = ChildGroup()
    group.kill()
    group.kill()
    with pytest.raises(ProcessLookupError):
        os.killpg(group.number, 0)
