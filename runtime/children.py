"""Child processes that end when this process ends, however it ends.

After SIGKILL a process cannot end its children, and macOS has no signal for a parent's
death. So the children join a process group with a keeper, a shell that reads a pipe.
Only this process can write to the pipe. When this process ends, the system closes the
pipe, and the keeper kills the group. It works whatever code a child runs, in Python or
in C. Only a process that leaves the group on purpose stays.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any
from weakref import WeakSet

KEEPER = "trap '' HUP INT TERM; read _; kill -KILL 0"
LAUNCHERS = {"uv", "pixi"}
_groups: WeakSet["ChildGroup"] = WeakSet()


class ChildGroup:
    """A process group that the system ends with this process.

    Attributes:
        number: the group's number, for ``Popen(..., process_group=number)``.
    """

    def __init__(self) -> None:
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        self.number = self._keeper.pid
        _groups.add(self)
        _pause_with_this_process()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to every process of the group, until ``kill`` was called."""
        # Afterwards the group's number may belong to others.
        if self._keeper.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.number, number)

    def kill(self) -> None:
        """Kills every process of the group; later calls have no effect."""
        self.send(signal.SIGKILL)
        self._keeper.communicate()


def _pause_with_this_process() -> None:
    """Lets Ctrl-Z stop the children too: they are not in the terminal's group."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
        signal.signal(signal.SIGTSTP, _pause)


def _pause(number: int, frame: FrameType | None) -> None:
    """Stops the children and this process; goes on with both after ``fg``."""
    for group in list(_groups):
        group.send(signal.SIGSTOP)
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    signal.raise_signal(signal.SIGTSTP)  # returns when this process goes on
    signal.signal(signal.SIGTSTP, _pause)
    for group in list(_groups):
        group.send(signal.SIGCONT)


@contextmanager
def child_group() -> Iterator[int]:
    """Yields the number of a group, and kills the group's processes at the end."""
    group = ChildGroup()
    try:
        yield group.number
    finally:
        group.kill()


def run_child(
    command: Sequence[str | Path], **options: Any
) -> subprocess.CompletedProcess[Any]:
    """Does what ``subprocess.run`` does; nothing that the command started is left.

    MAX's C++ adds variables to the environment, which ``os.environ`` does not have.
    With its PYTHONEXECUTABLE, another Python would not find its packages. So the
    command does not get them.
    """
    options.setdefault("env", dict(os.environ))
    with child_group() as number:
        return subprocess.run(command, process_group=number, **options)


def reason(error: BaseException) -> str:
    """Returns a failed command's last line on stderr, or the exception's message."""
    printed = getattr(error, "stderr", None) or b""
    return (printed.decode(errors="replace").strip().splitlines() or [str(error)])[-1]


def end_with_parent() -> None:
    """Ends this process soon after its parent, where others started this process."""
    parent = os.getppid()
    threading.Thread(target=_end_after, args=[parent], daemon=True).start()


def end_with_launcher() -> None:
    """Ends this process soon after ``uv run`` or ``pixi run``, if that is its parent.

    A launcher waits for the program and passes signals on. It cannot pass SIGKILL on.
    """
    if _name(os.getppid()) in LAUNCHERS:
        end_with_parent()


def _name(number: int) -> str:
    """Returns the name of a process; empty if it has ended."""
    with suppress(OSError):
        return Path("/proc", str(number), "comm").read_text(encoding="utf-8").strip()
    import psutil  # slower; for systems without /proc

    with suppress(psutil.Error):
        return psutil.Process(number).name()
    return ""


def _end_after(parent: int) -> None:
    """Waits until the parent has ended, then ends this process."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
