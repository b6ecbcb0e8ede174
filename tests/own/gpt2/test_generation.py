"""The loop of generation: the tokens read, the tokens chosen, and the end."""

import numpy as np
import pytest

from gpt2.decoding.generation import Strategy, choose, generate
from gpt2.decoding.settings import SAMPLING
from tests.own.gpt2.samples import VOCAB, FakeEngine

END = 0
GREEDY = Strategy(temperature=0)


def run(engine, prompt=(7, 8, 9), strategy=GREEDY, count=5, seed=1):
    """Returns all steps of one generation."""
    rng = np.random.default_rng(seed)
    steps = generate(engine, prompt, strategy, rng, max_new_tokens=count, end_ids=[END])
    return list(steps)


def ids(steps):
    """Returns the chosen tokens."""
    return [step.id for step in steps]


def test_greedy_takes_the_likeliest():
    assert ids(run(FakeEngine([5, 6, 5, 9, 8]))) == [5, 6, 5, 9, 8]


def test_prompt_once_and_then_one_token_at_a_time():
    engine = FakeEngine([5, 6, 4])
    run(engine, count=3)
    assert engine.calls == [
        ("prefill", [[7, 8, 9]]),
        ("decode", [5]),
        ("decode", [6]),
    ]


def test_ends_with_the_end_of_text():
    engine = FakeEngine([5, END, 6])
    assert ids(run(engine)) == [5, END]
    assert len(engine.calls) == 2


def test_end_of_text_in_the_prompt_ends_nothing():
    assert ids(run(FakeEngine([5, 6]), prompt=[END], count=2)) == [5, 6]


def test_no_tokens_no_work():
    engine = FakeEngine([5])
    assert run(engine, count=0) == []
    assert engine.calls == []


def test_asks_the_model_only_when_the_next_step_is_wanted():
    engine = FakeEngine([5, 6, 7])
    steps = generate(
        engine,
        [1],
        GREEDY,
        np.random.default_rng(),
        max_new_tokens=3,
        end_ids=[END],
    )
    next(steps)
    assert len(engine.calls) == 1


def test_prompt_is_left_as_it_was():
    prompt = [7, 8]
    run(FakeEngine([5, 6]), prompt=prompt)
    assert prompt == [7, 8]


def test_a_step_tells_its_chance_and_the_five_best():
    (step,) = run(FakeEngine([5]), count=1)
    chances = [chance for _, chance in step.best]
    assert step.best[0] == (5, step.probability)
    assert len(step.best) == 5
    assert chances == sorted(chances, reverse=True)
    assert 0 < chances[-1] < chances[0] < 1  # the model's own probabilities


def test_seed_repeats_the_draw():
    loose = Strategy(temperature=2.0)
    assert run(FakeEngine([5, 6]), strategy=loose, count=9) == run(
        FakeEngine([5, 6]), strategy=loose, count=9
    )
    assert ids(run(FakeEngine([5]), strategy=loose, count=9)) != ids(
        run(FakeEngine([5]), strategy=loose, count=9, seed=2)
    )


LOGITS = np.log(np.array([0.5, 0.25, 0.15, 0.1], dtype=np.float32))


@pytest.mark.parametrize(
    ("strategy", "distribution"),
    [
        (Strategy(), [0.5, 0.25, 0.15, 0.1]),
        (Strategy(temperature=0.5), [0.7246, 0.1812, 0.0652, 0.029]),
        (Strategy(top_k=2), [2 / 3, 1 / 3, 0, 0]),
        (Strategy(top_p=0.6), [2 / 3, 1 / 3, 0, 0]),
        (Strategy(min_p=0.25), [5 / 9, 2.5 / 9, 1.5 / 9, 0]),
        (Strategy(repetition_penalty=2.0), [50 / 91, 25 / 91, 15 / 91, 1 / 91]),
    ],
)
def test_each_setting_reaches_the_distribution(strategy, distribution):
    probabilities = strategy.probabilities(LOGITS, [3])
    np.testing.assert_allclose(probabilities, distribution, atol=1e-4)


def test_draws_follow_the_distribution():
    rng = np.random.default_rng(0)
    chosen = [choose(LOGITS, [], Strategy(), rng).id for _ in range(2000)]
    frequencies = np.bincount(chosen) / 2000
    np.testing.assert_allclose(frequencies, [0.5, 0.25, 0.15, 0.1], atol=0.04)


def test_greedy_with_filters_is_still_greedy():
    strategy = Strategy(temperature=0, top_k=3, top_p=0.1, min_p=1)
    rng = np.random.default_rng(0)
    assert {choose(LOGITS, [], strategy, rng).id for _ in range(20)} == {0}


def test_the_penalty_counts_prompt_and_output():
    engine = FakeEngine([5, 5, 5], margin=0.1)
    penalized = Strategy(temperature=0, repetition_penalty=50.0)
    chosen = ids(run(engine, prompt=[7], strategy=penalized, count=3))
    assert chosen[0] == 5
    assert len(set(chosen)) == 3
    assert ids(run(FakeEngine([5]), [5], penalized, count=1)) != [5]


def test_filtered_tokens_are_not_among_the_best():
    step = choose(LOGITS, [], Strategy(top_k=2), np.random.default_rng(0))
    assert [token for token, _ in step.best] == [0, 1]


def test_a_large_vocabulary_sums_to_one_for_the_draw():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=50257).astype(np.float32) * 5
    assert 0 <= choose(logits, [], Strategy(), rng).id < 50257


def test_logits_are_left_as_they_were():
    logits = np.arange(VOCAB, dtype=np.float32)
    before = logits.copy()
    strategy = Strategy(**{setting.name: setting.tried[0] for setting in SAMPLING})
    choose(logits, [1, 2], strategy, np.random.default_rng(0))
    np.testing.assert_array_equal(logits, before)
