"""Standard streams that are closed, full, of another encoding, or not a terminal's."""

import io
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import click
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from course.registry import ROOT
from course.streams import Output, mend_streams
from gpt2.commands import plot
from gpt2.commands.prompt import read_prompt

BIN = Path(sysconfig.get_path("scripts"))
CHECK = "pytest tests/test_step_01.py --solutions"
NOWHERE = """
import tempfile

def gettempdir(*_):
    raise FileNotFoundError(2, "No usable temporary directory found")

tempfile.gettempdir = tempfile._get_default_tempdir = gettempdir
tempfile.tempdir = None
"""
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
    """An editor's stream: it can only write."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


def test_a_notebooks_own_streams_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, typed = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(sys, "stdin", typed)
    mend_streams()
    assert (sys.stdout, sys.stdin) == (shown, typed)


def test_an_editors_stream_gets_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell()
    monkeypatch.setattr(sys, "stdout", cell)
    mend_streams()
    Console().print("✓")
    click.echo("done")
    assert cell.text == "✓\ndone\n"


def test_a_check_without_a_folder_for_temporary_files(tmp_path: Path) -> None:
    """As in a container with a read-only disk."""
    (tmp_path / "nowhere.py").write_text(NOWHERE)
    code, text = run(f"pytest -p nowhere {CHECK[7:]}", PYTHONPATH=str(tmp_path))
    assert code == 0
    assert "Passed in" in text


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_prompt_from_an_editors_input(
    mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no bytes. Windows begins its files with a byte order mark."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{mark}Tom\r\n"))
    assert read_prompt("-", None, literal=False) == "Tom"


def test_a_picture_on_a_full_disk(tmp_path: Path) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    figure = Figure()
    figure.savefig = full  # type: ignore[method-assign]
    with pytest.raises(click.ClickException) as raised:
        plot.save(lambda: figure, tmp_path / "top-k")
    assert raised.value.message.startswith(
        f"{tmp_path / 'top-k.svg'} cannot be written"
    )
