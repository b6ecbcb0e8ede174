"""The sampling filters: exact on small tables, and equal to Hugging Face's."""

import json
from pathlib import Path

import numpy as np
import pytest

from solutions.encore_sampling import (
    min_p_filter,
    next_token_probabilities,
    repetition_penalty,
    sample,
    softmax,
    temperature_scale,
    top_k_filter,
    top_p_filter,
    top_tokens,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "decoding.json"
CASES = json.loads(GOLDEN.read_text())["processors"]
HALVES = np.log([0.5, 0.25, 0.125, 0.125])  # their sums are exact


def kept(logits: np.ndarray) -> list[int]:
    return np.flatnonzero(np.isfinite(logits)).tolist()


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['dtype']} {c['options']}")
def test_equal_to_hugging_face(case: dict) -> None:
    options = dict(case["options"])
    penalty = options.pop("repetition_penalty", 1.0)
    logits = np.array(case["logits"], case["dtype"])
    before = logits.copy()
    got = next_token_probabilities(logits, case["seen"], penalty=penalty, **options)
    np.testing.assert_allclose(got, case["probabilities"], atol=1e-6)
    np.testing.assert_array_equal(got > 0, np.array(case["probabilities"]) > 0)
    np.testing.assert_array_equal(logits, before)


@pytest.mark.parametrize(
    ("p", "count"), [(0.5, 1), (0.51, 2), (0.75, 2), (0.3, 1), (0.9, 4), (1.0, 4)]
)
def test_top_p_keeps_until_p_is_reached(p: float, count: int) -> None:
    assert kept(top_p_filter(HALVES, p)) == list(range(count))


@pytest.mark.parametrize(
    ("k", "ids"), [(0, [0, 1, 2]), (1, [1]), (2, [0, 1]), (9, [0, 1, 2])]
)
def test_top_k_prefers_the_lower_id_of_equals(k: int, ids: list[int]) -> None:
    assert kept(top_k_filter(np.array([1.0, 2.0, 1.0]), k)) == ids


def test_min_p_is_relative_to_the_likeliest() -> None:
    assert kept(min_p_filter(HALVES, 0.5)) == [0, 1]
    assert kept(min_p_filter(HALVES, 0.0)) == [0, 1, 2, 3]


def test_penalty_makes_every_seen_token_less_likely_once() -> None:
    got = repetition_penalty(np.array([2.0, -2.0, 0.0, 1.0]), [0, 1, 1, 0, 2], 2.0)
    np.testing.assert_array_equal(got, [1.0, -4.0, 0.0, 1.0])


def test_temperature() -> None:
    logits = np.array([1.0, 3.0, 3.0])
    np.testing.assert_array_equal(temperature_scale(logits, 2.0), logits / 2)
    assert kept(temperature_scale(logits, 0)) == [1]


def test_removed_tokens_stay_removed() -> None:
    logits = np.array([0.0, -np.inf, 1.0])
    for filtered in (top_k_filter(logits, 3), top_p_filter(logits, 1.0)):
        assert kept(filtered) == [0, 2]
    assert softmax(logits)[1] == 0
    assert top_tokens(softmax(logits), 1)[0][0] == 2


def test_defaults_change_nothing() -> None:
    logits = np.random.default_rng(0).normal(0, 3, 50257).astype(np.float32)
    got = next_token_probabilities(logits, [1, 2])
    np.testing.assert_array_equal(got, softmax(logits))


def test_draws_follow_the_distribution() -> None:
    rng = np.random.default_rng(0)
    draws = [sample(HALVES.astype(np.float32), rng) for _ in range(4000)]
    shares = np.bincount(draws, minlength=4) / len(draws)
    # Six standard deviations of the largest share: wrong once in a billion runs.
    np.testing.assert_allclose(shares, np.exp(HALVES), atol=6 * 0.5 / np.sqrt(4000))
