"""``gpt2 chat``: turns, the end of a story, and a full context."""

from gpt2.commands.chat import chat
from tests.own.gpt2.samples import BPE, POSITIONS, STORY, interrupted


def turns(run, fake, stdin, *arguments, text=STORY):
    """Runs a chat; returns the output and the model's input in each turn."""
    engine = fake(text)
    result = run("--greedy", *arguments, stdin=stdin, command=chat)
    given = [BPE.decode(ids[0]) for kind, ids in engine.calls if kind == "prefill"]
    return result, given


def test_chat_appends_every_line(run, fake):
    arguments = ("--max-new-tokens", "1")
    result, given = turns(run, fake, "A\nB\n\n", *arguments, text="x")
    assert result.exit_code == 0
    assert given == ["A", "Ax B", "Ax Bx"]
    assert result.stdout == "x\nx\nx\n"
    assert "Ctrl-D leaves" in result.stderr


def test_chat_starts_from_nothing(run, fake):
    engine = fake(STORY)
    run("--max-new-tokens", "1", stdin="\n", command=chat)
    assert engine.calls[0] == ("prefill", [[BPE.token_to_id("<|endoftext|>")]])


def test_chat_begins_anew_after_the_end(run, fake):
    result, given = turns(run, fake, "A\nB\n", text="x<|endoftext|>")
    assert given == ["A", "B"]
    assert result.stderr.count("The end. The next line begins a new story.") == 2


def test_chat_says_when_the_story_is_full(run, fake):
    result, given = turns(run, fake, "A\nB\n", "--max-new-tokens", "99", text="x")
    assert given == ["A", "B"]
    assert f"fills the {POSITIONS} tokens in sight" in result.stderr
    assert result.stdout == 2 * ("x" * (POSITIONS - 1) + "\n")


def test_chat_refuses_a_line_that_does_not_fit_and_keeps_the_story(run, fake):
    lines = f"A\n{'!' * POSITIONS}\n\n"
    result, given = turns(run, fake, lines, "--max-new-tokens", "1", text="x")
    assert given == ["A", "Ax"]
    assert f"and the model sees {POSITIONS}.)" in result.stderr


def test_ctrl_c_ends_a_turn_and_the_chat_goes_on(run, fake):
    engine = interrupted(fake("xyz"), after=2)
    result = run("--greedy", "--max-new-tokens", "3", stdin="A\n\n", command=chat)
    assert result.exit_code == 0
    assert "(Stopped.)" in result.stderr
    assert [ids for kind, ids in engine.calls if kind == "prefill"][1] == [
        BPE.encode("A").ids + BPE.encode("xy").ids
    ]
