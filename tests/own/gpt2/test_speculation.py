"""``gpt2 --draft`` writes the model's own text, with fewer calls of the model."""

import json

import numpy as np
import pytest

from course.registry import find_exercise
from gpt2.checkpoint.drafts import load_draft
from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.checkpoint.second_model import first_layers
from gpt2.decoding.generation import Strategy, generate
from gpt2.decoding.speculation import Distributions, Speculation, in_common
from gpt2.learner.own_decoding import SPECULATING
from tests.own.gpt2.samples import LAYERS, POSITIONS, VOCAB, TableEngine
from tests.own.gpt2.test_cli_refusals import usage_error

PROMPT, NEW = [3, 1, 4, 1, 5], 20
GREEDY = Strategy(temperature=0)
STRATEGIES = [
    GREEDY,
    Strategy(temperature=0, repetition_penalty=1.3),
    Strategy(),
    Strategy(temperature=0.7, top_p=0.9),
    Strategy(top_k=5, min_p=0.05, repetition_penalty=1.2),
]


def written(engine, strategy, seed=0, **limits):
    """The ids that plain decoding writes."""
    limits = {"max_new_tokens": NEW, "end_ids": ()} | limits
    rng = np.random.default_rng(seed)
    return [s.id for s in generate(engine, PROMPT, strategy, rng, **limits)]


def speculated(strategy, draft, tokens=4, seed=0, **limits):
    """The ids of a text with a draft, and what wrote it."""
    limits = {"max_new_tokens": NEW, "end_ids": ()} | limits
    speculation = Speculation(TableEngine(), draft, VOCAB, tokens)
    steps = speculation.steps(PROMPT, strategy, np.random.default_rng(seed), **limits)
    return [step.id for step in steps], speculation


def drafts():
    """The kinds of drafts: the text, the model itself, and another model."""
    other = TableEngine()
    other.table = np.random.default_rng(1).normal(size=other.table.shape)
    return {"text": None, "itself": TableEngine(), "another": other}


@pytest.mark.parametrize("kind", drafts())
@pytest.mark.parametrize("strategy", STRATEGIES[:2])
@pytest.mark.parametrize("tokens", [1, 4, 30])
def test_greedy_ids_are_those_of_plain_decoding(kind, strategy, tokens):
    found, speculation = speculated(strategy, drafts()[kind], tokens)
    assert found == written(TableEngine(), strategy)
    assert speculation.calls <= NEW


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_draft_like_the_model_needs_few_calls(strategy):
    found, speculation = speculated(strategy, TableEngine())
    assert len(found) == NEW
    assert speculation.calls == NEW // 5


def test_the_engine_reads_only_what_is_new():
    _, speculation = speculated(GREEDY, TableEngine(), 4)
    assert speculation._engine.read == len(PROMPT) + NEW - 1


@pytest.mark.parametrize("strategy", STRATEGIES[2:])
@pytest.mark.parametrize("kind", drafts())
def test_first_tokens_have_the_models_distribution(kind, strategy):
    draft, counts, runs = drafts()[kind], np.zeros(VOCAB), 600
    for seed in range(runs):
        ids, _ = speculated(strategy, draft, 2, seed, max_new_tokens=2)
        counts[ids[0]] += 1
    logits = TableEngine().logits(np.array([PROMPT]))[0]
    p = strategy.probabilities(logits, PROMPT)
    assert not counts[p == 0].any()
    likely = p > 0.02
    spread = 6.5 * np.sqrt(runs * p * (1 - p))[likely]
    assert (abs(counts - runs * p)[likely] <= spread).all()


def test_a_text_ends_with_an_end():
    plain = written(TableEngine(), GREEDY)
    end = plain[6]
    for draft in drafts().values():
        found, _ = speculated(GREEDY, draft, end_ids=[end])
        assert found == plain[: plain.index(end) + 1]


def test_filters_know_the_text_before_each_place():
    strategy = Strategy(temperature=0.8, repetition_penalty=1.5, top_k=40)
    model, ids = Distributions(TableEngine(), strategy), [*PROMPT, 7, 9, 2]
    rows = model(ids, 3)
    for place, row in enumerate(rows):
        before = ids[: len(PROMPT) + 1 + place]
        logits = TableEngine().logits(np.array([before]))[0]
        np.testing.assert_allclose(row, strategy.probabilities(logits, before))


def test_common_beginnings():
    assert in_common([1, 2, 3], [1, 2, 4, 5]) == 2
    assert in_common([1, 2, 3], [1, 2]) == 2
    assert in_common([], [1]) == 0


# The command


def test_the_command_writes_the_same_greedy_text(run, table):
    plain = run("Once", "--greedy", "--max-new-tokens", "12")
    for draft in ("ngram", "layers:1"):
        result = run("Once", "--greedy", "--max-new-tokens", "12", "--draft", draft)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == plain.stdout
        assert " · calls " in result.stderr
    assert " · calls " not in plain.stderr


def test_json_names_the_draft(run, table):
    options = ("--draft", "ngram", "--draft-tokens", "3", "--seed", "5", "--json")
    result = run("Once", *options)
    report = json.loads(result.stdout)
    assert report["strategy"]["draft"] == "ngram"
    assert report["strategy"]["draft_tokens"] == 3
    assert report["calls"] >= 1
    assert json.loads(run("Once", *options).stdout)["ids"] == report["ids"]


def test_show_steps_shows_the_models_chances(run, table):
    options = ("--greedy", "--show-steps", "--max-new-tokens", "5")
    plain, drafted = run("Once", *options), run("Once", *options, "--draft", "ngram")
    tables = [r.stderr.rpartition("\n\n")[0] or r.stderr for r in (plain, drafted)]
    rows = [[line for line in t.splitlines() if "%" in line] for t in tables]
    assert rows[0] == rows[1] != []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--draft", "ngram", "--num-samples", "2"], "leave out --num-samples"),
        (["--draft", "ngram", "--matching", "a"], "leave out --matching"),
        (["--draft", "ngram", "--beams", "2"], "cannot be used with --draft"),
        (["--draft-tokens", "2"], "--draft-tokens needs --draft"),
        (["--draft", "ngrm"], "Invalid value for '--draft'"),
        (["--draft", "ngrm"], "or write ngram or layers:N"),
        (["--draft", "ngram", "--draft-tokens", "0"], "'--draft-tokens'"),
    ],
)
def test_what_does_not_fit_is_refused(run, table, options, words):
    assert words in usage_error(run("Once", *options))


@pytest.mark.parametrize("layers", [0, LAYERS, 99])
def test_a_draft_has_some_layers_but_not_all(run, table, layers):
    result = run("Once", "--draft", f"layers:{layers}")
    assert result.exit_code == 1
    assert f"1 to {LAYERS - 1} of them, not {layers}" in result.stderr
    assert "Traceback" not in result.stderr


def test_first_layers(folder):
    whole = load_checkpoint(str(folder))
    short = first_layers(whole, 1)
    assert short.config.n_layer == 1
    left_out = whole.weights.keys() - short.weights.keys()
    assert left_out == {n for n in whole.weights if n.startswith("transformer.h.1.")}
    assert whole.config.n_layer == LAYERS


def test_another_vocabulary_is_refused(run, table):
    result = run("Once", "--draft", "tiny-stories")
    assert result.exit_code == 1
    assert "the vocabularies differ" in result.stderr


def test_a_draft_that_sees_too_little_is_refused(folder):
    checkpoint = load_checkpoint(str(folder))
    assert load_draft(str(folder), 4, checkpoint, POSITIONS).model
    with pytest.raises(CheckpointError, match=f"sees {POSITIONS} tokens"):
        load_draft(str(folder), 4, checkpoint, POSITIONS + 1)


# A learner's encore


def mine(run, desk, *options):
    place = ("--mine", "--strict", "--steps-dir", str(desk))
    return run("Once", "--greedy", "--draft", "ngram", *place, *options)


def test_the_learners_own_rounds_are_used(run, table, steps):
    code = (
        "\n\ndef speculative_round(model, draft, ids, count, rng):\n    return [64]\n"
    )
    files = {e: find_exercise(e).solved for e in ("sampling", "speculative")}
    desk = steps(
        encore_sampling=files["sampling"],
        encore_speculative=files["speculative"] + code,
    )
    result = mine(run, desk, "--max-new-tokens", "3")
    assert result.stdout == "Once```\n", result.stderr


def test_step_14_has_no_part(run, table, steps):
    result = mine(run, steps(), "--max-new-tokens", "3")
    assert result.exit_code == 0, result.stderr
    assert SPECULATING in result.stderr


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return []", "speculative_round returned no 1 to 5 ids"),
        ("return [99999]", "speculative_round returned no 1 to 5 ids"),
        ("return None", "TypeError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise NotImplementedError('To do here.')", "is not finished"),
    ],
)
def test_a_wrong_encore_is_named(run, table, steps, body, words):
    code = f"\n\ndef speculative_round(model, draft, ids, count, rng):\n    {body}\n"
    files = {e: find_exercise(e).solved for e in ("sampling", "speculative")}
    desk = steps(
        encore_sampling=files["sampling"],
        encore_speculative=files["speculative"] + code,
    )
    result = mine(run, desk, "--max-new-tokens", "9")
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    assert "encore_speculative.py" in result.stderr
    assert words in result.stderr
