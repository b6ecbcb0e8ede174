"""``compare`` and ``diversity``: all ways of choosing, and their rates."""

import json

import numpy as np
import pytest

from gpt2.commands.compare import WAYS, compare
from gpt2.commands.diversity import TEMPERATURES, diversity
from tests.own.gpt2.samples import BPE, POSITIONS, STORY, VOCAB
from tests.own.gpt2.test_cli_refusals import usage_error

PROMPT = BPE.encode("Once").ids


def report(run, command, *arguments):
    """Returns the JSON object of a command."""
    result = run("Once", "--json", *arguments, command=command)
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    return json.loads(line)


def ways(run, *arguments):
    """Returns each way's report by name."""
    return {way["name"]: way for way in report(run, compare, *arguments)["ways"]}


def test_every_way_writes(run, table):
    found = report(run, compare, "--seed", "3", "--max-new-tokens", "6")
    assert found["prompt_ids"] == PROMPT
    assert found["seed"] == 3
    assert [way["name"] for way in found["ways"]] == list(WAYS)
    for way in found["ways"]:
        assert way["text"] == BPE.decode(way["ids"])
        assert 0 < len(way["ids"]) <= 6
        assert 0 < way["distinct_1"] <= 1


def test_each_way_is_what_the_main_command_writes(run, table):
    found = ways(run, "--seed", "3", "--max-new-tokens", "6")
    for name, options in {
        "greedy": ["--greedy"],
        "greedy, penalty 1.3": ["--greedy", "--repetition-penalty", "1.3"],
        "4 beams": ["--beams", "4"],
        "temperature 1.3": ["--seed=3", "--temperature=1.3", "--top-p=1"],
        "top-k 40": ["--seed=3", "--temperature=1", "--top-p=1", "--top-k=40"],
        "min-p 0.1": ["--seed=3", "--temperature=1", "--top-p=1", "--min-p=0.1"],
    }.items():
        result = run("Once", "--json", "--max-new-tokens", "6", *options)
        alone = json.loads(result.stdout)
        ids = [token for token in alone["ids"][len(PROMPT) :] if token != 0]
        assert found[name]["ids"] == ids
        assert found[name]["strategy"] == alone["strategy"]


def test_greedy_falls_into_a_loop_and_the_penalty_gets_out(run, table):
    table.table += 2 * np.eye(VOCAB)  # each token makes itself likelier
    found = ways(run)
    greedy, penalized = found["greedy"], found["greedy, penalty 1.3"]
    assert greedy["repetition_4"] > 0.5
    assert penalized["repetition_4"] < 0.1
    assert penalized["distinct_1"] > greedy["distinct_1"]


def test_the_table_shows_texts_rates_and_what_repeats(run, fake):
    fake("xy", margin=60)
    result = run("Once", "--max-new-tokens", "10", command=compare)
    assert result.exit_code == 0
    for word in ("greedy", "4 beams", "min-p 0.1", "xyxyxyxyxy", "20%", "71%"):
        assert word in result.stdout
    assert "71% occurred before" in result.stdout
    assert "seed" in result.stderr
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_text_that_looks_like_markup(run, fake):
    fake("[/red]", margin=60)
    result = run("Once", "--max-new-tokens", "6", command=compare)
    assert result.exit_code == 0
    assert "[/red]" in result.stdout


def test_a_text_that_ends_at_once(run, fake):
    fake("<|endoftext|>", margin=60)
    way = ways(run)["greedy"]
    assert way["ids"] == []
    assert way["text"] == ""
    assert way["distinct_1"] is way["repetition_4"] is None
    assert run("Once", command=compare).exit_code == 0


def test_length_is_what_fits_and_no_more(run, table):
    assert len(ways(run)["greedy"]["ids"]) <= POSITIONS - len(PROMPT)
    error = usage_error(run("Once", "--max-new-tokens", "99", command=compare))
    assert "room for" in error


def test_the_same_seed_gives_the_same_texts(run, table):
    first = report(run, compare, "--seed", "8")
    assert report(run, compare, "--seed", "8") == first
    assert report(run, compare, "--seed", "9") != first


@pytest.mark.parametrize("command", [compare, diversity])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-new-tokens", "0"),
        ("--seed", "-1"),
        ("--model", "gtp2"),
        ("--temperature", "1"),
        ("--device", "tpu"),
    ],
)
def test_bad_options(run, command, arguments):
    assert usage_error(run("Once", *arguments, command=command))


# Diversity


def test_texts_differ_more_as_the_temperature_rises(run, fake):
    fake(STORY, margin=3)
    found = report(run, diversity, "--seed", "1", "--num-samples", "20")
    rows = found["temperatures"]
    assert [row["temperature"] for row in rows] == list(TEMPERATURES)
    different = [row["different"] for row in rows]
    assert different[0] == 1
    assert different[-1] == 20
    assert different == sorted(different)
    assert rows[0]["distinct_2"] < rows[-1]["distinct_2"]


def test_diversity_as_a_table(run, fake):
    fake("x", margin=60)
    result = run("Once", "--num-samples", "5", command=diversity)
    assert result.exit_code == 0
    assert result.stdout.count("1 of 5") == len(TEMPERATURES)
    assert "distinct-2" in result.stdout
    assert "seed" in result.stderr


def test_diversity_of_texts_that_end_at_once(run, fake):
    fake("<|endoftext|>", margin=60)
    found = report(run, diversity)
    assert {row["different"] for row in found["temperatures"]} == {1}
    assert {row["distinct_2"] for row in found["temperatures"]} == {None}


@pytest.mark.parametrize("value", ["1", "65", "many"])
def test_bad_number_of_samples(run, value):
    error = usage_error(run("Once", "--num-samples", value, command=diversity))
    assert "Invalid value for '--num-samples'" in error
