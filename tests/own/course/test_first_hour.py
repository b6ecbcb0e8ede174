"""Which commands of a new learner start the compile in the background."""

import sys
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import book.cli
from course import cli, process
from course.messages import Unheard
from gpt2.commands import command
from tests.own.marked import Marked

# Grades a step as in a learner's terminal; in the background, a file is made.
CHECK = """
import sys
from runtime import background
background.RUN = "open({made!r}, 'w').close()"
sys.argv = ["pytest", *{words!r}]
import pytest
sys.exit(pytest.console_main())
"""


@pytest.fixture
def starts(monkeypatch) -> list[str]:
    """Gets an entry for each start."""
    found: list[str] = []
    for module in (cli, command, book.cli):
        monkeypatch.setattr(module, "compile_in_background", lambda: found.append("x"))
    return found


@pytest.mark.parametrize(
    ("words", "count"),
    [(["hint", "8"], 1), (["diff", "8"], 1), (["--help"], 0), (["check", "99"], 0)],
)
def test_commands_of_the_course(starts, monkeypatch, words, count: int) -> None:
    monkeypatch.setattr(cli, "passes", lambda *_: False)
    CliRunner().invoke(cli.main, words)
    assert len(starts) == count


def test_setup_compiles_itself(starts, monkeypatch) -> None:
    monkeypatch.setattr("course.warmup.compile_all", lambda _: ["a model"])
    assert CliRunner().invoke(cli.main, ["setup"]).exit_code == 1
    assert starts == []


@pytest.mark.parametrize(("words", "count"), [([], 1), (["--help"], 0), (["--x"], 0)])
def test_commands_of_the_model(starts, words, count: int) -> None:
    write = command.Command("gpt2", callback=lambda: click.echo("a story"))
    CliRunner().invoke(write, words)
    assert len(starts) == count


def test_the_book(starts, monkeypatch) -> None:
    monkeypatch.setattr("book.serving.serve", lambda *_, **__: None)
    CliRunner().invoke(book.cli.main, ["serve"])
    assert len(starts) == 1


@pytest.mark.parametrize("options", [[], ["--solutions"], ["--collect-only"]])
def test_a_check_in_a_terminal(solved_steps, tmp_path: Path, options) -> None:
    """Afterwards nothing runs any more, as the background has nothing to do here."""
    made = tmp_path / "made"
    words = ["tests/test_step_01.py", "--steps-dir", str(solved_steps), *options]
    code = CHECK.format(made=str(made), words=words)
    free = {"COURSE_NO_BACKGROUND": "", "CI": "", "COURSE_NO_VOICE": "1"}
    with Marked(
        sys.executable, "-c", code, **free, MODULAR_CACHE_DIR=str(tmp_path)
    ) as check:
        assert check.end() == 0
        assert ("in the background" in check.printed) == (not options)
        assert check.left() == []
    assert made.exists() == (not options)


def test_a_slow_import_is_told_once(monkeypatch) -> None:
    monkeypatch.setattr(process, "SLOW", 0.0)
    told: list[str] = []
    with closing(
        process.WorkerProcess(on_slow_start=lambda: told.append("x"))
    ) as worker:
        worker.ask(Unheard(False), 60)
        worker.ask(Unheard(False), 60)
    assert told == ["x"]
