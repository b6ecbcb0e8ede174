"""Beam search on an engine: the result without an engine, with fewer tokens read."""

import json
import math

import numpy as np
import pytest

from gpt2.decoding.beams import Continuations, replay
from solutions.encore_beam_search import beam_search
from solutions.encore_sampling import softmax
from tests.own.gpt2.samples import BPE, STORY, TableEngine, interrupted
from tests.own.gpt2.test_cli import KEYS
from tests.own.gpt2.test_cli_refusals import usage_error

PROMPT = [3, 1, 4]
SMALL = 7  # size of a vocabulary in which beams often end and meet


@pytest.mark.parametrize("num_beams", [1, 2, 5])
@pytest.mark.parametrize("penalty", [-1.0, 0.0, 1.0, 2.0])
def test_the_engine_finds_what_a_search_without_one_finds(num_beams, penalty):
    engine = TableEngine(SMALL)
    settings = dict(num_beams=num_beams, max_new_tokens=9, length_penalty=penalty)
    found = beam_search(Continuations(engine), PROMPT, **settings, eos_token_id=0)
    assert found == beam_search(engine.logits, PROMPT, **settings, eos_token_id=0)


def test_each_beam_reads_one_token_a_step():
    engine = TableEngine()
    beam_search(Continuations(engine), PROMPT, num_beams=4, max_new_tokens=6)
    assert engine.read == len(PROMPT) + 5 * 4


def test_other_texts_are_read_from_their_beginning():
    engine = TableEngine()
    ask = Continuations(engine)
    for ids in ([[1, 2], [3, 4]], [[1, 2, 5], [9, 9, 9]], [[8]], [[3, 4, 6, 7]]):
        np.testing.assert_array_equal(ask(np.array(ids)), engine.logits(np.array(ids)))


def test_the_callers_ids_are_only_read():
    ask, ids = Continuations(TableEngine()), np.array([[1, 2]])
    ask(ids)
    ids[0, 0] = 5  # changes the caller's array only
    longer = np.array([[5, 2, 3]])
    np.testing.assert_array_equal(ask(longer), TableEngine().logits(longer))


def test_replay_says_how_likely_each_token_was():
    engine, new = TableEngine(), [7, 0, 7]
    steps = list(replay(engine, PROMPT, new))
    assert [step.id for step in steps] == new
    for place, step in enumerate(steps):
        ids = np.array([PROMPT + new[:place]])
        chances = softmax(engine.logits(ids)[0])
        assert step.probability == pytest.approx(chances[step.id])
        assert step.best[0] == pytest.approx((chances.argmax(), chances.max()))
        assert len(step.best) == 5


# The command


def search(run, *arguments):
    """Returns the JSON object of a search."""
    return json.loads(run("Once", "--json", *arguments).stdout)


def test_one_beam_is_greedy(run, table):
    count = ("--max-new-tokens", "8")
    found = search(run, "--beams", "1", *count)
    assert found["ids"] == search(run, "--greedy", *count)["ids"]


def test_more_beams_find_a_likelier_text(run, table):
    arguments = ("--max-new-tokens", "8", "--length-penalty", "0")
    scores = [search(run, "--beams", n, *arguments)["score"] for n in ("1", "8")]
    assert scores[0] < scores[1] < 0


def test_json_tells_the_strategy_and_the_score(run, table):
    found = search(
        run, "--beams", "3", "--length-penalty", "2", "--max-new-tokens", "4"
    )
    assert found.keys() == KEYS | {"score"}
    assert found["strategy"] == {
        "name": "beam search",
        "num_beams": 3,
        "length_penalty": 2.0,
    }
    new = found["ids"][len(found["prompt_ids"]) :]
    chances = [s.probability for s in replay(table, found["prompt_ids"], new)]
    total = sum(math.log(chance) for chance in chances)
    assert found["score"] == pytest.approx(total / len(new) ** 2)


def test_text_and_statistics(run, fake):
    fake(STORY)
    result = run("Once", "--beams", "2", "--max-new-tokens", "12")
    assert result.exit_code == 0
    assert result.stdout == "Once" + BPE.decode(BPE.encode(STORY * 9).ids[:12]) + "\n"
    assert "12 new tokens" in result.stderr
    assert " · score -" in result.stderr
    assert "seed" not in result.stderr


def test_steps_of_the_best_beam(run, table):
    arguments = ("Once", "--beams", "3", "--max-new-tokens", "4")
    result = run(*arguments, "--show-steps")
    _, *rows = result.stderr.splitlines()
    starts = [row.split() for row in rows if row.split()[:1] and row[:4].strip()]
    found = search(run, *arguments[1:])
    new = found["ids"][len(found["prompt_ids"]) :]
    assert [int(row[2]) for row in starts[: len(new)]] == new
    assert all("%" in " ".join(row) for row in starts[: len(new)])
    assert result.stdout == found["text"] + "\n"


def test_no_new_tokens(run, table):
    found = search(run, "--beams", "3", "--max-new-tokens", "0")
    assert found["ids"] == found["prompt_ids"]
    assert found["score"] is None


def test_ctrl_c_while_searching(run, fake):
    interrupted(fake(STORY), after=2)
    result = run("Once", "--beams", "2")
    assert (result.exit_code, result.stdout) == (130, "Once\n")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--beams", "0"),
        ("--beams", "-1"),
        ("--beams", "65"),
        ("--beams", "1.5"),
        ("--beams", "nan"),
        ("--length-penalty", "nan"),
        ("--length-penalty", "inf"),
        ("--length-penalty", "500"),
        ("--length-penalty", "long"),
    ],
)
def test_bad_value_is_a_usage_error(run, option, value):
    arguments = ("--beams", "2") if option == "--length-penalty" else ()
    error = usage_error(run("Once", *arguments, option, value))
    assert f"Invalid value for '{option}'" in error


@pytest.mark.parametrize(
    "arguments",
    [
        ("--temperature", "0.7"),
        ("--top-k", "5"),
        ("--top-p", "0.9"),
        ("--min-p", "0.1"),
        ("--repetition-penalty", "1.3"),
        ("--seed", "1"),
        ("--num-samples", "2"),
    ],
)
def test_what_has_no_place_in_a_search_is_refused(run, arguments):
    error = usage_error(run("Once", "--beams", "2", *arguments))
    assert "--beams looks for the likeliest text and cannot be used with" in error
    assert arguments[0] in error


def test_greedy_and_beams(run):
    assert "--greedy" in usage_error(run("Once", "--beams", "2", "--greedy"))


def test_a_length_penalty_without_beams(run):
    error = usage_error(run("Once", "--length-penalty", "1"))
    assert "--length-penalty needs --beams N." in error
