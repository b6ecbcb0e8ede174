"""A background process compiles kernels: once, announced, and checks wait for it."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from course import doctor
from runtime import background, kernel_batches
from runtime.background import at_terminal, compile_in_background, log_path
from runtime.child_python import python_command
from runtime.kernel_batches import BATCHES, batch_path, empty_folder, load_batch

# Stands for the process: it holds the lock like the real one, and compiles nothing.
HOLDS = """
import sys, time
from filelock import FileLock
from runtime.background import log_path
with FileLock(log_path().with_suffix(".lock"), blocking=False):
    time.sleep(600)
"""
# Stands for a process that compiles a batch, and is done after a line on its stdin.
COMPILES = """
from filelock import FileLock
from runtime.kernel_batches import batch_path
path = batch_path("first")
path.parent.mkdir(parents=True, exist_ok=True)
with FileLock(path.with_suffix(".lock")):
    path.with_suffix(".started").touch()
    print("compiling", flush=True)
    if sys.stdin.readline() == "good\\n":
        path.write_bytes(b"kernels")
"""


class Terminal(io.StringIO):
    """A text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """An empty cache."""
    monkeypatch.setenv("MODULAR_CACHE_DIR", str(tmp_path))
    return tmp_path / "gpt2-on-max"


@pytest.fixture
def terminal(monkeypatch):
    """Nothing prevents the process; ends what a test starts."""
    for name in (*background.OFF, "COURSE_PLAIN_MAX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(background, "at_terminal", lambda: True)
    monkeypatch.setattr(background, "RUN", HOLDS)
    yield
    for process in started():
        process.kill()


def started() -> list[psutil.Process]:
    """The processes that ``compile_in_background`` has started in this test's cache."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "background import log_path" in " ".join(process.cmdline()):
                here = process.environ().get("MODULAR_CACHE_DIR")
                found += [process] * (here == os.environ["MODULAR_CACHE_DIR"])
    return found


def until(true) -> None:
    """Waits at most 60 s until something is true."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def said(capsys) -> str:
    """Calls the function; returns what it prints."""
    compile_in_background()
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_one_process_is_started_and_announced_once(terminal, capsys) -> None:
    text = said(capsys)
    assert "in the background" in text
    assert "about 3 minutes" in text
    assert "COURSE_NO_BACKGROUND=1" in text
    until(background.runs)
    assert said(capsys) == ""
    (process,) = started()
    assert process.ppid() != os.getpid()
    assert os.getsid(process.pid) != os.getsid(0)  # closing the terminal spares it
    assert doctor.look_at_kernels().text == "the background compiles them now"


def test_it_is_started_once_a_day_even_if_it_fails(
    terminal, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(background, "RUN", "sys.exit('no linker')")
    text = said(capsys)
    until(background.failure)
    assert said(capsys) == ""
    finding = doctor.look_at_kernels()
    assert finding.text == "the background could not compile them: no linker"
    assert "course setup" in finding.cure
    yesterday = time.time() - background.DAY - 1
    os.utime(log_path(), (yesterday, yesterday))
    assert said(capsys) == text != ""


@pytest.mark.parametrize("variable", ["COURSE_NO_BACKGROUND", "CI", "COURSE_PLAIN_MAX"])
def test_a_variable_prevents_it(
    terminal, capsys, monkeypatch, folder, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    assert (said(capsys), folder.exists()) == ("", False)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_both_streams_must_be_a_terminal(monkeypatch, stream: str) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert at_terminal()
    monkeypatch.setattr(sys, stream, io.StringIO())
    assert not at_terminal()


def test_without_a_terminal_there_is_none(
    terminal, capsys, monkeypatch, folder
) -> None:
    monkeypatch.setattr(background, "at_terminal", lambda: False)
    assert (said(capsys), folder.exists()) == ("", False)


def test_where_kernels_are_there_or_being_compiled_there_is_none(
    terminal, capsys, folder
) -> None:
    folder.mkdir()
    with FileLock(batch_path("first").with_suffix(".lock")):
        assert said(capsys) == ""
    for name in BATCHES:
        batch_path(name).touch()
    assert said(capsys) == ""


def test_where_nothing_can_be_written_there_is_none(terminal, capsys, folder) -> None:
    folder.write_text("a file where the folder should be")
    assert said(capsys) == ""


def test_the_process_compiles_what_is_missing_at_a_low_priority(
    folder, monkeypatch
) -> None:
    compiled: list[str] = []
    priority = os.nice(0)
    folder.mkdir()
    batch_path("first").touch()
    monkeypatch.setattr(kernel_batches, "compile_batch", compiled.append)
    monkeypatch.setattr(background, "lower_priority", lambda: None)
    background.main()
    assert compiled == ["matmul", "other"]
    with FileLock(log_path().with_suffix(".lock")):
        background.main()  # a second process ends at once
    assert compiled == ["matmul", "other"]
    code = "import os; from runtime.background import *; lower_priority(); "
    command = python_command(f"{code}print(os.nice(0))")
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True)
    assert int(done.stdout) == min(19, priority + background.NICE)


def test_the_process_says_why_it_failed(folder, monkeypatch) -> None:
    def fail(name: str) -> None:
        raise subprocess.CalledProcessError(1, "cc", stderr=b"many lines\nno linker\n")

    folder.mkdir()
    monkeypatch.setattr(kernel_batches, "compile_batch", fail)
    monkeypatch.setattr(background, "lower_priority", lambda: None)
    with pytest.raises(SystemExit, match="no linker"):
        background.main()


class Check:
    """A check that needs kernels; the process that compiles ends as it is told.

    Args:
        ending: what the process is told when the check waits: "good", "bad", "kill".
    """

    def __init__(self, monkeypatch, ending: str) -> None:
        self.ending = ending
        self.said: list[tuple[str, int | None]] = []
        self.compiled: list[tuple[str, float | None]] = []
        monkeypatch.setattr(kernel_batches, "read_batch", self.read)
        monkeypatch.setattr(kernel_batches, "compile_batch", self.compile)
        self.process = subprocess.Popen(
            python_command(COMPILES),
            env=dict(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout
        self.process.stdout.readline()

    def read(self, path: Path) -> dict[str, bytes]:
        return {"kernel": path.read_bytes()}

    def compile(self, name: str, patience: float | None) -> None:
        self.compiled.append((name, patience))
        batch_path(name).write_bytes(b"kernels")

    @contextmanager
    def announce(self, what: str, seconds: int | None) -> Iterator[None]:
        self.said.append((what, seconds))
        if self.ending == "kill":
            self.process.kill()
        elif self.ending:
            assert self.process.stdin
            self.process.stdin.write(f"{self.ending}\n".encode())
            self.process.stdin.flush()
        self.ending = ""
        yield

    def load(self) -> dict[str, bytes]:
        try:
            return load_batch("first", self.announce)
        finally:
            self.process.kill()
            self.process.communicate()


WAITS = "9 kernels (in the background, for 40 s so far)"


def begun(seconds: float) -> None:
    """Lets the compile have begun some seconds ago."""
    then = time.time() - seconds
    os.utime(batch_path("first").with_suffix(".started"), (then, then))


def test_a_check_waits_for_the_background_and_says_so(monkeypatch) -> None:
    check = Check(monkeypatch, "good")
    begun(40)
    assert check.load() == {"kernel": b"kernels"}
    assert (check.said, check.compiled) == ([(WAITS, 20)], [])


@pytest.mark.parametrize("ending", ["bad", "kill"])
def test_where_the_background_fails_the_check_compiles(
    monkeypatch, ending: str
) -> None:
    check = Check(monkeypatch, ending)
    begun(40)
    assert check.load() == {"kernel": b"kernels"}
    assert check.said == [(WAITS, 20), ("9 kernels", 25)]
    assert check.compiled == [("first", 0)]


def test_a_check_does_not_wait_for_ever(monkeypatch) -> None:
    monkeypatch.setattr(kernel_batches, "PATIENCE", 0.0002)
    check = Check(monkeypatch, "")
    begun(500)
    assert check.load() == {"kernel": b"kernels"}
    assert [seconds for _, seconds in check.said] == [250, 25]
    assert check.compiled == [("first", 0)]


def test_where_another_run_has_stopped_there_is_another_folder(folder) -> None:
    folder.mkdir()
    path = batch_path("first")
    with empty_folder(path, 0) as usual:
        (usual / "of another run").touch()
        with empty_folder(path, 0) as other:
            assert (other != usual, list(other.iterdir())) == (True, [])
        assert [usual.exists(), other.exists()] == [True, False]
    assert not usual.exists()


def test_a_lock_file_without_a_process_keeps_nobody_waiting(monkeypatch) -> None:
    """The check then waits only for another check that begins at the same moment."""
    check = Check(monkeypatch, "")
    check.process.kill()
    check.process.wait()
    assert batch_path("first").with_suffix(".lock").exists()
    assert check.load() == {"kernel": b"kernels"}
    assert check.said == [("9 kernels", 25)]
    assert check.compiled == [("first", None)]
