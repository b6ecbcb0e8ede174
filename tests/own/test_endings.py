"""No process is left behind by any command, in whatever way it ends."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.own.marked import Marked

# Keeps Python's lock in C code, as an endless loop there does: no thread of Python can
# run. It sleeps, so that the other tests have the processor.
LOOP = """
import ctypes
import subprocess
subprocess.Popen(["sleep", "600"])
open({started!r}, "w").close()
ctypes.PyDLL(None).sleep(600)
"""
WAYS: dict[str, Callable[[Marked], None]] = {
    "Ctrl-C": Marked.press_ctrl_c,
    "closed terminal": Marked.close_terminal,
    "TERM": lambda command: command.process.terminate(),
    "KILL": lambda command: command.process.kill(),
}


def start_loop(folder: Path, way: str) -> Marked:
    """Starts a command that will run the loop, which makes a file ``started``."""
    folder.mkdir()
    step = folder / "step_02.py"
    step.write_text(LOOP.format(started=str(folder / "started")))
    if way == "KILL of watch":
        return Marked("course", "watch", "--steps-dir", str(folder))
    words = ["tests/test_step_02.py", "--steps-dir", str(folder), "--limit", "600"]
    return Marked("pytest", *words, *["-n", "2"] * (way == "KILL of -n 2"))


def has_started(folder: Path) -> bool:
    """Returns whether the loop runs; until then, saves the step for watch."""
    if (folder / "started").exists():
        return True
    (folder / "step_02.py").touch()
    return False


@pytest.fixture(scope="module")
def looping(tmp_path_factory) -> Iterator[dict[str, Marked]]:
    """Commands that run an endless loop of a learner, one for each way of ending."""
    root = tmp_path_factory.mktemp("loops")
    ways = ["KILL of watch", "KILL of -n 2", *WAYS]
    with ExitStack() as stack:
        commands = {
            way: stack.enter_context(start_loop(root / way, way)) for way in ways
        }
        for way, command in commands.items():
            command.wait_for(partial(has_started, root / way))
        yield commands


@pytest.mark.parametrize("way", [*WAYS, "KILL of watch", "KILL of -n 2"])
def test_an_endless_loop_ends_with_its_command(looping, way: str) -> None:
    command = looping[way]
    assert command.runs("course.worker")
    assert command.runs("sleep 600")  # the loop's own child
    WAYS[way.split(" of ")[0]](command)
    command.end()
    assert command.left() == []


# Commands, what each prints or starts once it works, and a way to end it.
CASES = {
    "setup": ("course setup", "runtime.kernel_batches", "TERM"),
    "chat": ("gpt2 chat", "> ", "closed terminal"),
    "repl": ("course repl", ">>> ", "KILL"),
    "book": ("book serve --no-open --port 0", "The book is at", "TERM"),
    "pages": ("book build --to {folder}", "mdbook build", "KILL"),
    "server": ("gpt2 serve --port 0", "The model is served", "KILL"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Marked]:
    """A server, which starts while other tests run."""
    with Marked(*CASES["server"][0].split()) as command:
        yield command


@pytest.mark.parametrize("name", CASES)
def test_every_command_ends_with_its_processes(name, server, tmp_path) -> None:
    line, sign, way = CASES[name]
    words = line.format(folder=tmp_path).split()
    empty = {"MODULAR_CACHE_DIR": str(tmp_path)} if name == "setup" else {}
    with server if name == "server" else Marked(*words, **empty) as command:
        command.wait_for(lambda: sign in command.printed or command.runs(sign))
        WAYS[way](command)
        command.end()
        assert command.left() == []


def test_a_command_ends_with_the_launcher_that_was_killed(tmp_path: Path) -> None:
    """``uv run`` and ``pixi run`` wait for the command, and cannot pass SIGKILL on."""
    launcher = shutil.copy("/bin/sh", tmp_path / "uv")
    with Marked(str(launcher), "-c", "gpt2 chat; :") as command:
        command.wait_for_text("> ")
        command.process.kill()
        command.end()
        assert command.left() == []


def test_a_worker_that_imports_max_ends_too() -> None:
    with Marked("pytest", "tests/test_step_02.py", "--solutions") as command:
        command.wait_for(lambda: command.runs("course.worker"))
        command.process.kill()
        command.end()
        assert command.left() == []
