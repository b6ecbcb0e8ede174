"""Standard streams that are closed, full, of another encoding, or not a terminal's."""

import io
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from course.registry import ROOT
from course.streams import Output, mend_streams

BIN = Path(sysconfig.get_path("scripts"))
CHECK = "pytest tests/test_step_01.py --solutions"
OLD_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def run(command: str, redirection: str = "", **environment: str) -> tuple[int, str]:
    """Runs an installed program from a shell, which redirects its streams.

    Returns:
        The exit code, and all that the program prints.
    """
    done = subprocess.run(
        ["bash", "-c", f"'{BIN}'/{command} {redirection}"],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "closed"),
    [
        ("gpt2 chat", "<&-"),
        ("gpt2 chat", ">&-"),
        ("gpt2 chat", "<&- >&- 2>&-"),
        (CHECK, ">&-"),
        (CHECK, "<&- >&- 2>&-"),
    ],
)
def test_a_closed_stream_is_like_the_null_device(command: str, closed: str) -> None:
    code, text = run(command, closed)
    assert (code, "Traceback" in text) == (0, False)


def test_right_code_passes_where_standard_input_is_closed() -> None:
    """The worker's socket had number 0, and right code had "crashed"."""
    code, text = run(CHECK, "<&-")
    assert code == 0
    assert "Passed in" in text


def test_nothing_gets_the_number_of_a_standard_stream() -> None:
    code = "from course.streams import mend_streams; mend_streams(); import os, sys;"
    code += "sys.exit(os.open(os.devnull, 0) < 3)"
    command = f"python -c '{code}'"
    assert run(command, "<&- >&- 2>&-")[0] == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "koi8-r", "utf-8"])
def test_what_an_encoding_lacks_is_shown_in_ascii(
    encoding: str, tmp_path: Path
) -> None:
    file = tmp_path / "printed"
    with file.open("w", encoding=encoding) as stream:
        print("✓ ✗ → 中 \ud800", file=Output(stream))
    shown = file.read_text(encoding=encoding)
    marks = "✓ ✗ → 中" if encoding == "utf-8" else r"+ x -> \u4e2d"
    assert shown == f"{marks} \\ud800\n"


@pytest.mark.parametrize("command", ["course next", CHECK])
@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, OLD_LOCALE])
def test_commands_in_an_old_terminal(command: str, environment: dict) -> None:
    code, text = run(command, **environment)
    assert code == 0
    assert "Traceback" not in text
    assert text.isascii()


def test_files_are_utf8_in_an_old_locale() -> None:
    """The solution has a √."""
    code, text = run("course diff 8 --force", **OLD_LOCALE)
    assert code == 0
    assert "sqrt" in text


@pytest.mark.parametrize("command", ["course hint 8", "gpt2 --help", CHECK])
def test_a_full_disk_gets_a_sentence(command: str) -> None:
    code, text = run(command, "> /dev/full")
    assert code == 1
    assert text == "✗ Standard output cannot be written: No space left on device.\n"


def test_a_full_disk_for_notes_does_no_harm() -> None:
    code, text = run("gpt2 Tom --max-new-tokens 1 --greedy", "2> /dev/full")
    assert code == 0
    assert text.startswith("Tom")


@pytest.mark.parametrize("command", ["course next", CHECK])
def test_a_closed_pipe_is_a_quiet_end(command: str) -> None:
    code, text = run(command, "| true; exit ${PIPESTATUS[0]}")
    assert (code, text) == (1, "")


@pytest.mark.parametrize("width", ["0", "1", "-5", "wide", "9" * 12])
def test_a_senseless_width_loses_no_text(width: str) -> None:
    code, text = run("course next", COLUMNS=width)
    assert code == 0
    assert "Step" in text


class Cell:
    """A notebook's stream: it has no descriptor, no encoding and no bytes."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None: ...


def test_a_notebooks_own_streams_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    cell, typed = Cell(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", cell)
    monkeypatch.setattr(sys, "stdin", typed)
    mend_streams()
    assert sys.stdout is cell
    assert sys.stdin is typed
