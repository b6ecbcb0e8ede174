"""Several samples in one batch end separately and do not affect each other."""

import json

import numpy as np
import pytest

from gpt2.decoding.generation import Strategy, generate_batch
from tests.own.gpt2.samples import BPE, STORY, FakeEngine, TableEngine, interrupted
from tests.own.gpt2.test_cli import KEYS
from tests.own.gpt2.test_cli_refusals import usage_error

END, PROMPT = 0, [2, 3, 1]


def write(engine, number, count=12):
    """Returns the new ids of every row."""
    texts = [[] for _ in range(number)]
    rngs = np.random.default_rng(1).spawn(number)
    steps = generate_batch(
        engine, PROMPT, Strategy(), rngs, max_new_tokens=count, end_ids=[END]
    )
    for row, step in steps:
        texts[row].append(step.id)
    return texts


def test_a_sample_does_not_depend_on_how_many_there_are():
    many = write(TableEngine(), 7)
    assert write(TableEngine(), 3) == many[:3]
    assert write(TableEngine(), 1) == many[:1]
    assert len(set(map(tuple, many))) == 7


def test_each_row_ends_at_its_own_end():
    texts = write(TableEngine(6), 20)  # one of the six tokens ends a text
    assert all(END not in text[:-1] for text in texts)
    assert all(text[-1] == END or len(text) == 12 for text in texts)
    assert len({len(text) for text in texts}) > 3


def test_ended_rows_are_read_no_more():
    engine = TableEngine(6)
    texts = write(engine, 20)
    # The last token of a row is not read, whether the text has ended or not.
    assert engine.read == len(PROMPT) + sum(len(text) - 1 for text in texts)


def test_the_prompt_is_read_once():
    engine = FakeEngine([5])
    write(engine, 4, count=1)
    assert engine.calls[0] == ("prefill", [PROMPT])


def test_one_row_is_never_moved():
    engine = FakeEngine([5, END])
    write(engine, 1)
    assert [kind for kind, _ in engine.calls] == ["prefill", "decode"]


# The command


def test_samples_are_printed_one_after_the_other(run, fake):
    fake(" ok<|endoftext|>", margin=60)
    result = run("Once", "--num-samples", "2", "--seed", "4")
    assert result.exit_code == 0
    assert result.stdout == "── 1 of 2 ──\nOnce ok\n\n── 2 of 2 ──\nOnce ok\n\n"
    new = 2 * len(BPE.encode(" ok<|endoftext|>").ids)
    assert f" + {new} new tokens" in result.stderr
    assert result.stderr.endswith(" · samples 2 · seed 4\n")


def test_json_has_a_list_of_samples(run, table):
    arguments = ("Once", "--json", "--seed", "2", "--max-new-tokens", "5")
    report = json.loads(run(*arguments, "--num-samples", "3").stdout)
    assert report.keys() == KEYS - {"text", "ids"} | {"samples"}
    assert report["strategy"]["seed"] == 2
    for sample in report["samples"]:
        assert sample["ids"][: len(report["prompt_ids"])] == report["prompt_ids"]
        assert sample["text"] == BPE.decode(sample["ids"])
    alone = json.loads(run(*arguments).stdout)
    assert report["samples"][0] == {"text": alone["text"], "ids": alone["ids"]}
    assert 0 < report["seconds_to_first_token"] <= report["seconds"]
    count = sum(len(s["ids"]) - len(report["prompt_ids"]) for s in report["samples"])
    assert report["tokens_per_second"] == pytest.approx(count / report["seconds"])


def test_ctrl_c_keeps_what_there_is(run, fake):
    interrupted(fake(STORY, margin=60), after=4)  # one of the calls selects rows
    result = run("Once", "--num-samples", "2")
    assert result.exit_code == 130
    text = "Once" + BPE.decode(BPE.encode(STORY).ids[:3])
    assert result.stdout == f"── 1 of 2 ──\n{text}\n\n── 2 of 2 ──\n{text}\n\n"


def test_no_new_tokens(run, table):
    result = run("Once", "--num-samples", "2", "--max-new-tokens", "0", "--json")
    report = json.loads(result.stdout)
    assert [sample["text"] for sample in report["samples"]] == ["Once", "Once"]
    assert report["seconds_to_first_token"] is report["tokens_per_second"] is None


@pytest.mark.parametrize("value", ["0", "-1", "65", "two"])
def test_bad_number(run, value):
    error = usage_error(run("Once", "--num-samples", value))
    assert "Invalid value for '--num-samples'" in error


def test_contradictions(run):
    arguments = ("Once", "--num-samples", "2")
    assert "one and the same text" in usage_error(run(*arguments, "--greedy"))
    assert "shows one text" in usage_error(run(*arguments, "--show-steps"))
