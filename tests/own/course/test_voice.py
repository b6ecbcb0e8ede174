"""The voice after a verdict: when the model speaks, and what ends it."""

import io
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from course.registry import ROOT
from course.typewriter import Typewriter
from tests.own.course.running import pytest_run
from tests.own.marked import Marked

PROGRAM = "gpt2.learner.voice"
ALONE = {"CI": "", "COURSE_NO_VOICE": "", "COLUMNS": "100"}
# Stands for the program that speaks: it says a word every 0.05 s, without end.
ENDLESS = """
import json, time
while True:
    print(json.dumps({"say": "word ", "style": ""}), flush=True)
    time.sleep(0.05)
"""
# Lets such a program speak, as the grader does, and then reads what was typed.
SPEAKS = """
import sys
from pathlib import Path
from rich.console import Console
from course import voice
from course.registry import find_exercise
voice.RUN, voice.SILENCE = sys.argv[1], float(sys.argv[2])
speaker = voice.Voice(find_exercise("8"), Path("steps"), passed=True)
speaker.speak(Console())
speaker.close()
print("it is over")
print("typed:", sys.stdin.readline().strip() if len(sys.argv) > 3 else "")
"""


def speaking(program: str, silence: float = 60, *more: str) -> Marked:
    """Starts a program that stands for the voice, in a terminal."""
    return Marked("python", "-c", SPEAKS, program, str(silence), *more, **ALONE)


@pytest.fixture
def endless() -> Iterator[Marked]:
    """A voice that has begun to speak and would never end."""
    with speaking(ENDLESS) as command:
        command.wait_for_text("word word")
        yield command


def test_a_key_ends_it(endless: Marked) -> None:
    assert not endless.echoes()
    endless.type("x")
    assert endless.end() == 0
    assert "it is over" in endless.printed
    assert endless.echoes()
    assert endless.left() == []


def test_ctrl_c_ends_it_and_nothing_else(endless: Marked) -> None:
    endless.press_ctrl_c()
    assert endless.end() == 0
    assert "it is over" in endless.printed
    assert "Traceback" not in endless.printed
    assert endless.echoes()
    assert endless.left() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_act_as_usual_after_it(
    endless: Marked, number: signal.Signals
) -> None:
    endless.process.send_signal(number)
    assert endless.end() == -number
    assert "it is over" not in endless.printed
    assert endless.echoes()
    assert endless.left() == []


def test_keys_stay_for_the_next_command() -> None:
    with speaking(ENDLESS, 60, "reads") as command:
        command.wait_for_text("word word")
        command.type("uv run s09\n")
        assert command.end() == 0
        assert "typed: uv run s09" in command.printed


@pytest.mark.parametrize(
    ("program", "silence"),
    [
        ("import time; time.sleep(600)", 0.5),  # a learner's endless loop
        ("import os; os.kill(os.getpid(), 11)", 60),
        ("print('no event', flush=True); import time; time.sleep(600)", 60),
        ("print(5, flush=True); import time; time.sleep(600)", 60),
        ("print('{}', flush=True); import time; time.sleep(600)", 60),
        ('print(\'{"line": "[/none]"}\')', 60),
        ("import os; os.close(1); os.close(0); import time; time.sleep(600)", 60),
    ],
    ids=["silent", "crashes", "garbage", "number", "key", "markup", "closed"],
)
def test_what_goes_wrong_ends_it_quietly(program: str, silence: float) -> None:
    with speaking(program, silence) as command:
        assert command.end() == 0
        assert command.printed == "it is over\r\ntyped: \r\n"
        assert command.left() == []


def graded(number: str, steps_dir: Path, *words: str, **environment: str) -> Marked:
    """Checks a step in a terminal."""
    checker = f"tests/test_step_{number}.py"
    options = ("--steps-dir", str(steps_dir), *words)
    return Marked("pytest", checker, *options, **ALONE | environment)


def test_the_model_writes_after_the_verdict(solved_steps: Path) -> None:
    before = sorted(solved_steps.rglob("*"))
    with graded("08", solved_steps) as command:
        command.wait_for_text("loss")
        assert command.end() == 0
        assert command.left() == []
    verdict, _, said = command.printed.partition("Passed")
    assert "The model with" not in verdict
    assert "The model with your step 08" in said
    assert "yours: steps 02, 08; borrowed: the rest" in said
    assert "Once upon a time, there was a big pile of junk." in plain(said)
    assert "loss 1.46" in plain(said)
    assert sorted(solved_steps.rglob("*")) == before


def test_a_wrong_step_is_heard(solved_steps: Path) -> None:
    step = solved_steps / "step_08.py"
    step.write_text(step.read_text().replace(" / sqrt(head_size)", ""))
    with graded("08", solved_steps) as command:
        command.wait_for_text("goes on:")
        assert command.end() == 1
    said = plain(command.printed).partition("The model with your step 08")[2]
    assert "loss 3.50 on the story as it was written; a finished model: 1.46" in said
    assert "a finished model goes on:" in said
    assert "same words" not in said


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["--no-voice"], {}),
        ([], {"CI": "true"}),
        ([], {"COURSE_NO_VOICE": "1"}),
        (["--solutions"], {}),
        (["tests/test_step_10.py"], {}),
        (["-k", "equal"], {}),
    ],
    ids=["option", "CI", "variable", "solutions", "two exercises", "some checks"],
)
def test_when_it_is_silent(
    words: list[str], environment: dict[str, str], solved_steps: Path
) -> None:
    with graded("01", solved_steps, *words, **environment) as command:
        command.wait_for_text("checks ran" if "-k" in words else "Passed")
        assert command.end() == 0
        assert "The model with" not in command.printed
        assert command.left() == []


def test_it_is_silent_where_no_terminal_is(solved_steps: Path) -> None:
    words = ("tests/test_step_01.py", "--steps-dir", str(solved_steps))
    code, text = pytest_run(*words, "--color=yes", CI="", COURSE_NO_VOICE="")
    assert code == 0
    assert "The model with" not in text


def test_a_skeleton_has_no_voice(solved_steps: Path) -> None:
    skeleton = ROOT / "course" / "skeletons" / "step_01.py"
    (solved_steps / "step_01.py").write_text(skeleton.read_text())
    with graded("01", solved_steps) as command:
        command.wait_for_text("hint:")
        assert command.end() == 1
        assert "The model with" not in command.printed


def test_watch_speaks_until_the_next_save(solved_steps: Path) -> None:
    code = (
        "import sys\n"
        "from course import cli, voice\n"
        "voice.RUN = sys.argv.pop()\n"
        "cli.main(prog_name='course')\n"
    )
    words = ("watch", "--steps-dir", str(solved_steps), ENDLESS)
    with Marked("python", "-c", code, *words, **ALONE) as command:
        command.wait_for_text("Ctrl-C ends")
        save(command, solved_steps / "step_01.py", "word word")
        assert not command.echoes()
        save(command, solved_steps / "step_10.py", "Step 10")
        command.wait_for(lambda: "word" in command.printed.rpartition("Step 10")[2])
        command.type("x")
        command.wait_for(command.echoes)
        save(command, solved_steps / "step_01.py", "word word")
        command.press_ctrl_c()
        assert command.end() == 0
        assert command.echoes()
        assert command.left() == []


def save(command: Marked, file: Path, text: str) -> None:
    """Saves a file until a new text is printed: watch may not have begun yet."""
    start, until = len(command.read()), 0.0

    def printed() -> bool:
        nonlocal until
        if time.monotonic() > until:
            file.write_text(file.read_text())
            until = time.monotonic() + 30
        return text in command.printed[start:]

    command.wait_for(printed)


def plain(text: str) -> str:
    """Returns what a terminal shows, as one line, without colours."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m", "", text).split())


def printed(*pieces: str, width: int = 24) -> str:
    """Returns what a console shows of a text in pieces."""
    file = io.StringIO()
    writer = Typewriter(Console(file=file, width=width))
    for piece in pieces:
        writer.feed(piece)
    writer.finish()
    return file.getvalue()


def test_words_come_whole() -> None:
    pieces = ("Once", " up", "on a", " time", ", the", "re was", " a J", "un", "k.")
    assert printed(*pieces) == "  Once upon a time,\n  there was a Junk.\n"


def test_a_word_appears_once_it_is_complete() -> None:
    file = io.StringIO()
    writer = Typewriter(Console(file=file, width=24))
    writer.feed("Hello wor")
    assert file.getvalue() == "  Hello"
    writer.feed("ld ")
    assert file.getvalue() == "  Hello world"


def test_a_word_longer_than_a_line_is_cut() -> None:
    assert printed("a" * 30, width=22) == f"  {'a' * 20}\n  {'a' * 10}\n"


def test_a_terminal_obeys_nothing_that_the_model_writes() -> None:
    assert printed("\x1b[2J\x07", " [red]b\n\nc") == "  \ufffd[2J\ufffd [red]b ↵ ↵ c\n"
