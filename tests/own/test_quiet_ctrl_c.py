"""Ctrl-C is quiet at any moment of any command: no traceback, no crash."""

import shutil
import signal
import subprocess

import psutil
import pytest

from tests.own.marked import Marked

NOISE = ("Traceback", "Fatal", "Exception ignored", "KeyboardInterrupt", "Aborted")
LONG = ("gpt2", "Hello", "--max-new-tokens", "200")
GRADES = ("pytest", "tests/test_step_03.py", "--solutions")


def assert_quiet(command: Marked, *codes: int) -> None:
    """Asserts that a command ends with one of these codes, and prints no noise."""
    assert command.end() in codes, command.printed
    assert [noise for noise in NOISE if noise in command.printed] == []


# Commands, and a module: Ctrl-C comes when its import is complete.
@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("gpt2 Hello", "runtime.early"),
        ("gpt2 Hello", "click.core"),
        ("gpt2 Hello", "max._core"),
        ("gpt2 Hello", "max.engine"),
        ("python -m gpt2 Hello", "numpy._core"),
        ("course hint 8", "rich.console"),
        ("course progress", "course.checks"),
        ("s08 --solutions", "_pytest.config"),
        ("pytest tests/test_step_08.py", "_pytest.assertion"),
        ("pytest tests/test_step_08.py", "course.report"),
        ("python -m pytest tests/test_step_08.py", "pluggy"),
        ("book", "click.core"),
        ("gpt2 inside --no-open", "click.core"),
        ("gpt2 inside --no-open", "numpy._core"),
        ("python -m benchmarks.decode", "numpy._core"),
    ],
)
def test_while_it_imports(line: str, module: str) -> None:
    with Marked(*line.split(), PYTHONPROFILEIMPORTTIME="1") as command:
        command.wait_for_text(f" {module}\r\n")
        command.press_ctrl_c()
        # On a busy machine it writes a text by now, or is done.
        assert_quiet(command, -signal.SIGINT, 130, 0)


def test_while_it_writes() -> None:
    """The text ends where it is, and the statistics follow."""
    with Marked(*LONG) as command:
        command.wait_for(lambda: len(command.printed) > len("Hello, there"))
        command.press_ctrl_c()
        assert_quiet(command, 130)
        text, statistics = command.printed.split("\r\n", maxsplit=1)
        assert text.startswith("Hello")
        assert "new tokens" in statistics
        assert command.printed.endswith("\n")


def test_twice_in_a_row() -> None:
    with Marked(*LONG) as command:
        command.wait_for(lambda: len(command.printed) > len("Hello, there"))
        command.press_ctrl_c()
        command.press_ctrl_c()
        assert_quiet(command, 130, -signal.SIGINT)


def test_while_it_ends() -> None:
    with Marked("gpt2", "Hello", "--max-new-tokens", "2") as command:
        command.wait_for_text("tokens/s")
        command.press_ctrl_c()
        assert_quiet(command, 0, -signal.SIGINT)


def test_while_a_check_runs() -> None:
    with Marked(*GRADES) as command:
        command.wait_for_text("✓")
        command.press_ctrl_c()
        assert_quiet(command, -signal.SIGINT)
        assert command.left() == []


def test_in_the_processes_of_pytest() -> None:
    """With -n 2, pytest used to hang."""
    with Marked(*GRADES, "-n", "2") as command:
        command.wait_for(lambda: command.runs("course.worker"))
        command.press_ctrl_c()
        assert_quiet(command, -signal.SIGINT)
        assert command.left() == []


def test_at_the_prompts() -> None:
    """In the chat it ends the program; in the REPL it only ends the line."""
    with Marked("gpt2", "chat") as chat, Marked("course", "repl") as repl:
        chat.wait_for_text("> ")
        chat.press_ctrl_c()
        assert_quiet(chat, 130)
        assert chat.printed.endswith("\n")
        repl.wait_for_text(">>> ")
        repl.press_ctrl_c()
        repl.wait_for_text("KeyboardInterrupt")
        repl.type("print(6 * 7)\nexit()\n")
        assert repl.end() == 0
        assert "42" in repl.printed


def test_a_terminated_chat_gives_the_terminal_back() -> None:
    with Marked("gpt2", "chat") as command:
        command.wait_for_text("> ")
        command.process.terminate()
        assert_quiet(command, 128 + signal.SIGTERM)
        assert command.echoes()


CONTAINER = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
CAN = shutil.which("unshare") and subprocess.run([*CONTAINER, "true"]).returncode == 0


@pytest.mark.skipif(not CAN, reason="this system makes no containers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_as_the_first_process_of_a_container(number: signal.Signals) -> None:
    """The system's own action for a signal does nothing in the first process."""
    with Marked(*CONTAINER, *LONG, PYTHONPROFILEIMPORTTIME="1") as command:
        command.wait_for_text(" click.core\r\n")
        (first,) = psutil.Process(command.process.pid).children()
        first.send_signal(number)
        assert_quiet(command, 128 + number)


def test_where_a_script_ignores_it() -> None:
    """A script's background jobs ignore SIGINT, and Python programs keep to that."""
    words = ("sh", "-c", "trap '' INT; gpt2 Hello --max-new-tokens 2")
    with Marked(*words, PYTHONPROFILEIMPORTTIME="1") as command:
        command.wait_for_text(" click.core\r\n")
        command.press_ctrl_c()
        assert_quiet(command, 0)
