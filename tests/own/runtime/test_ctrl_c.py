"""What Ctrl-C does in a compile, and where code asks for something else."""

import io
import os
import select
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from course.registry import ROOT
from runtime.ctrl_c import noticed, stoppable
from runtime.early import PROGRAMS, program
from runtime.terminal import Console


def test_ctrl_c_ends_a_compile_that_python_waits_for():
    code = (
        "from runtime.ctrl_c import interruptible\n"
        "with interruptible():\n"
        "    print('compiling', flush=True)\n"
        "    sum(range(10**13))\n"  # takes hours and never checks for signals
    )
    command, env = [sys.executable, "-c", code], dict(os.environ)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"compiling\n"
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(10) == -signal.SIGINT
        finally:
            process.kill()


def test_the_second_signal_is_not_caught():
    before = signal.getsignal(signal.SIGINT)
    with stoppable():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stoppable(signal.SIGTERM):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_every_program_of_the_course_is_known():
    scripts = tomllib.loads(Path(ROOT, "pyproject.toml").read_text())["project"]
    assert set(scripts["scripts"]) <= PROGRAMS


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["/some/bin/gpt2", "Hello"], "gpt2"),
        (["-u", "-m", "benchmarks.decode", "--help"], "benchmarks"),
        (["-c", "gpt2"], ""),
        (["-i"], ""),
        ([], ""),
    ],
)
def test_the_program_that_python_starts(arguments: list[str], name: str):
    assert program(arguments) == name


def test_the_cursor_stays():
    file = io.StringIO()
    with Console(file=file, force_terminal=True).status("waiting"):
        pass
    assert "waiting" in file.getvalue()
    assert "\x1b[?25l" not in file.getvalue()


def test_a_noticed_signal_only_raises_a_flag():
    before = signal.getsignal(signal.SIGTERM)
    with noticed(signal.SIGTERM) as flag:
        assert flag.lower() is None
        signal.raise_signal(signal.SIGTERM)
        assert select.select([flag], [], [], 5)[0] == [flag]
        assert flag.lower() == signal.SIGTERM
        assert flag.lower() is None
    assert signal.getsignal(signal.SIGTERM) is before
