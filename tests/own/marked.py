"""Commands whose processes can be found, wherever they have got to."""

import os
import pty
import signal
import subprocess
import sysconfig
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from uuid import uuid4

import psutil

from course.registry import ROOT

BIN = sysconfig.get_path("scripts")
MARK = "COURSE_TEST_MARK"


class Marked:
    """A command in a terminal of its own; a variable marks all its processes.

    Args:
        words: a program of the environment and its arguments.
        **environment: more variables.
    """

    def __init__(self, *words: str, **environment: str) -> None:
        self.mark = uuid4().hex
        self.printed = ""
        self.terminal, theirs = pty.openpty()
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        env = os.environ | {"PATH": path, "TERM": "xterm", MARK: self.mark}
        self.process = subprocess.Popen(
            words,
            cwd=ROOT,
            env=env | environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=usual_signals,
        )
        os.close(theirs)
        os.set_blocking(self.terminal, False)

    def read(self) -> str:
        """Reads what is there; returns all that was printed until now."""
        with suppress(OSError):  # nothing more at present, or no terminal any more
            while block := os.read(self.terminal, 65536):
                self.printed += block.decode(errors="replace")
        return self.printed

    def wait_for(self, true: Callable[[], object], seconds: float = 60) -> None:
        """Reads until something is true; fails if the process ends before."""
        until = time.monotonic() + seconds
        while True:
            self.read()
            if true():
                return
            assert self.process.poll() is None, self.read()
            assert time.monotonic() < until, self.printed
            time.sleep(0.02)

    def wait_for_text(self, text: str) -> None:
        """Reads until a text was printed."""
        self.wait_for(lambda: text in self.printed)

    def type(self, keys: str) -> None:
        """Types keys into the terminal."""
        os.write(self.terminal, keys.encode())

    def echoes(self) -> bool:
        """Returns whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def press_ctrl_c(self) -> None:
        """Does what the terminal does: every process of the command gets SIGINT."""
        os.killpg(self.process.pid, signal.SIGINT)

    def close_terminal(self) -> None:
        """Does what closing a terminal's window does."""
        os.killpg(self.process.pid, signal.SIGHUP)
        os.close(self.terminal)
        self.terminal = -1

    def end(self) -> int:
        """Waits for the end, reads the rest and returns the exit code."""
        until = time.monotonic() + 20
        while (code := self.process.poll()) is None:
            assert time.monotonic() < until, f"{self.read()}\nstill runs"
            self.read()  # a full terminal would block the command
            time.sleep(0.01)
        self.read()
        return code

    def left(self) -> list[str]:
        """Returns the command lines of the processes that still run after 5 s."""
        until = time.monotonic() + 5
        while (found := self.family()) and time.monotonic() < until:
            time.sleep(0.05)
        return [line for _, line in found]

    def family(self) -> list[tuple[psutil.Process, str]]:
        """Returns the marked processes, with their command lines."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self.mark:
                    found.append((process, " ".join(process.cmdline())))
        return found

    def runs(self, text: str) -> bool:
        """Returns whether a marked process has a text in its command line."""
        return any(text in line for _, line in self.family())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Kills what is left."""
        for process, _ in self.family():
            with suppress(psutil.Error):
                process.kill()
        self.process.wait()
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1


def usual_signals() -> None:
    """Gives a new process the signals that a shell gives it."""
    for number in (signal.SIGINT, signal.SIGHUP):  # ignored where tests run in a job
        signal.signal(number, signal.SIG_DFL)
