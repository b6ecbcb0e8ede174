"""``--mine`` cuts prompts and joins ids with a learner's tokenizer."""

from collections.abc import Callable

import pytest

from course.commands import typed
from course.registry import find_exercise
from gpt2.checkpoint.tokenizer import Tokenizer, load_tokenizer
from gpt2.commands.chat import chat
from gpt2.commands.compare import compare
from gpt2.commands.diversity import diversity
from gpt2.learner.borrowing import borrow
from gpt2.learner.own_tokenizer import OTHER_CUT, OwnTokenizer, own_tokenizer
from tests.own.gpt2.samples import BPE, STORY

TOKENIZER = find_exercise("tokenizer").solved
LOOP = find_exercise("14").solved
SAMPLING = find_exercise("sampling").solved
TEXTS = [
    "",
    "Once upon a time",
    " naïve 🤖\n\n x²",
    "one<|endoftext|>two <|endoftext|>",
]


@pytest.fixture
def mine(run, steps) -> Callable:
    """Runs a command on a learner's files alone."""

    def invoke(*arguments, code=TOKENIZER, command=None, stdin=None):
        files = {"step_14": LOOP, "encore_sampling": SAMPLING}
        folder = steps(encore_tokenizer=code, **files)
        place = ("--mine", "--strict", "--steps-dir", str(folder))
        more = {"command": command} if command else {}
        return run(*arguments, *place, stdin=stdin, **more)

    return invoke


@pytest.fixture
def own(tokenizer, steps) -> OwnTokenizer:
    """A learner's right tokenizer, with a small vocabulary."""
    steps(encore_tokenizer=TOKENIZER)
    return OwnTokenizer(tokenizer, print)


@pytest.fixture
def tokenizer(folder) -> Tokenizer:
    """The model's own tokenizer."""
    return load_tokenizer(folder)


@pytest.mark.parametrize("text", TEXTS)
def test_a_right_tokenizer_changes_nothing(own, tokenizer, text, capsys):
    ids = own.encode(text)
    assert ids == BPE.encode(text).ids
    assert own.decode(ids) == tokenizer.decode(ids)
    assert own.encode_prompt(text) == tokenizer.encode_prompt(text)
    assert capsys.readouterr().out == ""


def test_the_text_is_the_same(mine, run, fake):
    fake(STORY + " é 🤖<|endoftext|>")
    theirs = run("Once", "--greedy")
    fake(STORY + " é 🤖<|endoftext|>")
    yours = mine("Once", "--greedy")
    assert yours.exit_code == 0, yours.stderr
    assert yours.stdout == theirs.stdout
    assert OTHER_CUT not in yours.stderr


def test_the_learners_decode_is_used(mine, fake):
    fake(STORY)
    code = TOKENIZER + "\n\ndef decode(ids, vocabulary):\n    return '?' * len(ids)\n"
    result = mine("Once", "--greedy", "--max-new-tokens", "3", code=code)
    assert result.stdout == "Once???\n"


def test_the_learners_encode_is_called(mine, fake):
    code = (
        TOKENIZER
        + "\n\ndef encode(text, *_, special):\n    raise ValueError(text, special)\n"
    )
    for command, arguments, stdin in [
        (None, ["Once"], None),
        (chat, [], "Once\n"),
        (diversity, ["Once", "--num-samples", "2"], None),
        (compare, ["Once"], None),
    ]:
        fake(STORY)
        result = mine(*arguments, code=code, command=command, stdin=stdin)
        assert result.exit_code == 1
        error = result.stderr.partition("Error: ")[2]
        assert "encore_tokenizer.py does not run: ValueError: ('Once'" in error
        assert "<|endoftext|>" in error
        assert typed("tokenizer") in error


def test_a_decode_without_a_text_is_named(mine, fake):
    fake(STORY)
    code = TOKENIZER + "\n\ndef decode(ids, vocabulary):\n    pass\n"
    result = mine("Once", "--greedy", code=code)
    assert result.exit_code == 1
    assert "encore_tokenizer.py does not run: TypeError: decode" in result.stderr


def test_other_ids_are_not_given_to_the_model(mine, fake):
    engine = fake(STORY)
    code = TOKENIZER + "\n\ndef encode(text, *_, special):\n    return [1, 2, 99999]\n"
    result = mine("Once", "--greedy", "--max-new-tokens", "1", code=code)
    assert result.exit_code == 0, result.stderr
    assert engine.calls[0] == ("prefill", [BPE.encode("Once").ids])
    assert result.stderr.count(OTHER_CUT) == 1


def test_a_tokenizer_that_is_not_the_learners_is_not_used(tokenizer, steps):
    desk = steps(encore_tokenizer="1 / 0")
    nothing = borrow(desk, own=[])
    assert own_tokenizer(tokenizer, nothing, print) is tokenizer


def test_a_name_without_bytes_keeps_the_learners_away(tokenizer, steps, monkeypatch):
    desk = steps(encore_tokenizer=TOKENIZER)
    everything = borrow(desk, strict=True)
    assert isinstance(own_tokenizer(tokenizer, everything, print), OwnTokenizer)
    monkeypatch.setattr(type(tokenizer), "added", {"a plain word": False})
    assert own_tokenizer(tokenizer, everything, print) is tokenizer
