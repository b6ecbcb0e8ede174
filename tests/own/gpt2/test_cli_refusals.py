"""The command refuses wrong input with one sentence and an exit code."""

from types import SimpleNamespace

import pytest

from gpt2.checkpoint.errors import CheckpointError
from gpt2.commands.chat import chat
from gpt2.commands.cli import continue_text
from gpt2.commands.compare import compare
from gpt2.commands.diversity import diversity
from gpt2.commands.layers import layers
from gpt2.commands.plot import plot
from gpt2.commands.prompt import COMMANDS
from tests.own.gpt2.samples import POSITIONS, STORY


class Terminal:
    """Standard input that is a terminal, not a pipe."""

    def isatty(self):
        """Says that standard input is a terminal."""
        return True


def usage_error(result):
    """Returns the sentence of a usage error; stdout must be empty."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr.partition("Error: ")[2]


@pytest.mark.parametrize("word", COMMANDS)
def test_a_commands_name_as_a_prompt(run, fake, word):
    fake(STORY)
    assert "comes before its options" in usage_error(run(word))
    result = run("--max-new-tokens", "0", "--", word)
    assert result.stdout == f"{word}\n"


def test_a_prompt_that_begins_with_a_dash(run, fake):
    fake(STORY)
    text = "-dash first"
    assert "begins with a dash goes after --" in usage_error(run(text))
    assert run("--max-new-tokens", "0", "--", text).stdout == f"{text}\n"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--temperature", "-0.1"),
        ("--temperature", "nan"),
        ("--temperature", "inf"),
        ("--temperature", "warm"),
        ("--top-p", "0"),
        ("--top-p", "1.01"),
        ("--top-p", "nan"),
        ("--top-k", "-1"),
        ("--top-k", "1.5"),
        ("--min-p", "-0.1"),
        ("--min-p", "1.1"),
        ("--min-p", "nan"),
        ("--repetition-penalty", "0"),
        ("--repetition-penalty", "-1"),
        ("--repetition-penalty", "nan"),
        ("--repetition-penalty", "inf"),
        ("--max-new-tokens", "-1"),
        ("--seed", "-1"),
        ("--device", "tpu"),
        ("--model", "gtp2"),
        ("--prompt-file", "no-such-file"),
        ("--prompt-file", "."),
    ],
)
def test_bad_value_is_a_usage_error(run, option, value):
    assert f"Invalid value for '{option}'" in usage_error(run("Once", option, value))


def test_unknown_model_suggests_one(run):
    assert "did you mean gpt2 " in usage_error(run("Once", "--model", "gtp2"))


def test_two_prompts(run, tmp_path):
    file = tmp_path / "start.txt"
    file.write_text("Once")
    assert "not both" in usage_error(run("Once", "--prompt-file", str(file)))


def test_no_prompt_on_a_terminal(run, monkeypatch):
    monkeypatch.setattr("gpt2.commands.prompt.sys", SimpleNamespace(stdin=Terminal()))
    assert "give a prompt" in usage_error(run())


def test_bytes_that_are_not_text(run, fake, tmp_path):
    fake(STORY)
    file = tmp_path / "latin1.txt"
    file.write_bytes("café".encode("latin1"))
    words = "is not UTF-8 text: byte 4 is 0xe9."
    assert f"{file} {words}" in usage_error(run("--prompt-file", str(file)))
    assert words in usage_error(run("-", stdin=file.read_bytes()))
    assert words in usage_error(run("caf\udce9"))
    assert words in usage_error(run(stdin=file.read_bytes(), command=chat))


@pytest.mark.parametrize(
    ("tokens", "arguments", "words"),
    [
        (POSITIONS + 3, [], "room for 0 new ones."),
        (POSITIONS, [], "room for 0 new ones."),
        (POSITIONS - 2, ["--max-new-tokens", "3"], "for 2 new ones, not for 3."),
        (1, ["--max-new-tokens", "32"], f"for {POSITIONS - 1} new ones, not for 32."),
    ],
)
def test_text_past_the_context(run, tokens, arguments, words):
    error = usage_error(run("!" * tokens, *arguments))
    assert f"at most {POSITIONS} tokens: the prompt has {tokens}," in error
    assert words in error


def test_text_past_the_context_from_a_file_or_a_pipe(run, tmp_path):
    text = "!" * (POSITIONS + 3)
    file = tmp_path / "long.txt"
    file.write_text(text)
    words = f"the prompt has {POSITIONS + 3}, which leaves room for 0 new ones."
    for command in (continue_text, compare, diversity):
        assert words in usage_error(run(stdin=text, command=command))
    assert words in usage_error(run("--prompt-file", str(file)))


@pytest.mark.parametrize(
    ("command", "before", "tokens"),
    [
        (compare, [], POSITIONS),
        (diversity, [], POSITIONS),
        (plot, ["next-token"], POSITIONS),
        (layers, ["--prompt"], POSITIONS + 1),  # needs no room for a new token
    ],
)
def test_every_command_checks_its_text(run, command, before, tokens):
    error = usage_error(run(*before, "!" * tokens, command=command))
    assert f"the prompt has {tokens}, which leaves room for 0 new ones." in error
    error = usage_error(run(*before, "caf\udce9", command=command))
    assert "the prompt is not UTF-8 text: byte 4 is 0xe9." in error


def test_prompt_that_fills_the_context_exactly(run, fake):
    fake(STORY)
    result = run("!" * (POSITIONS - 2), "--max-new-tokens", "2")
    assert result.exit_code == 0
    assert run("!" * POSITIONS, "--max-new-tokens", "0").exit_code == 0


def test_bad_checkpoint_is_one_sentence_and_exit_1(run, folder):
    (folder / "config.json").unlink()
    result = run("Once")
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "config.json" in line


def test_unusable_model_of_a_learner(run, monkeypatch, steps):
    def broken(*_, **__):
        raise CheckpointError("steps/step_09.py is not finished")

    monkeypatch.setattr("gpt2.writer.open_engine", broken)
    result = run("Once", "--mine", "--strict", "--steps-dir", str(steps()))
    assert (result.exit_code, result.stdout) == (1, "")
    whose, error = result.stderr.splitlines()
    assert whose.startswith("yours: steps 01–14")
    assert error == "Error: steps/step_09.py is not finished"
