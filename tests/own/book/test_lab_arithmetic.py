"""The lab's JavaScript against the course's Python, on the same numbers."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from solutions.encore_beam_search import beam_search
from tests.oracle import model as oracle
from tests.own.book.lab_page import FIRST, LAST, OFF, filtered

SETTINGS = [
    {},
    {"temperature": 0},
    {"temperature": 0.6},
    {"topK": 1},
    {"topK": 7},
    {"topK": 500},
    {"topP": 0.01},
    {"topP": 0.85},
    {"minP": 1},
    {"minP": 0.07},
    {"repetitionPenalty": 1.4},
    {"temperature": 1.6, "topP": 0.8},
    {"temperature": 0, "repetitionPenalty": 2},
    {
        "temperature": 1.5,
        "topK": 20,
        "topP": 0.9,
        "minP": 0.06,
        "repetitionPenalty": 1.25,
    },
]


@pytest.mark.parametrize("order", [FIRST, LAST])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_filters_equal_python(js: Any, settings: dict, order: str) -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 3, 400).round(1)  # rounded, so that there are ties
    seen = [*rng.integers(0, 400, 30).tolist(), *logits.argsort()[-5:].tolist()]
    probabilities = js(
        "(x) => [...lab.decoding.nextTokenProbabilities(...x)]",
        [logits.tolist(), seen, OFF | settings, order],
    )
    expected = filtered(logits, seen, settings, order)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-9, atol=0)


def test_removed_tokens_stay_removed(js: Any) -> None:
    logits = np.array([1.0, -np.inf, 2.0, -np.inf, 0.5])
    settings = {"topK": 4, "topP": 0.99, "minP": 0.01}
    probabilities = js(
        "(x) => [...lab.decoding.nextTokenProbabilities(...x)]",
        [logits.tolist(), [1, 2], OFF | settings, FIRST],
    )
    expected = filtered(logits, [1, 2], settings, FIRST)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-12)


def test_survivors(js: Any) -> None:
    before, after = [0.5, 0.25, 0.15, 0.1], [0.5, 0.5, 0, 0]
    left = js("(x) => lab.statistics.survivors(...x)", [before, after])
    assert left["count"] == 2
    assert left["mass"] == pytest.approx(0.75)
    assert left["entropy"] == pytest.approx(np.log(2))
    assert left["choices"] == pytest.approx(2)


BEAM_CASES = list(product([1, 2, 3, 5], [-1, 0, 1, 2], [None, 0]))


@pytest.mark.parametrize(("num_beams", "length_penalty", "eos"), BEAM_CASES)
def test_beams_equal_python(js: Any, num_beams, length_penalty, eos) -> None:
    steps, size, prompt = 6, 7, [3, 1]
    table = np.random.default_rng(11).normal(0, 1.5, (steps, size, size))

    def next_logits(ids: np.ndarray) -> np.ndarray:
        return table[ids.shape[1] - len(prompt), ids[:, -1]]

    ids, score = beam_search(
        next_logits,
        prompt,
        num_beams=num_beams,
        max_new_tokens=steps,
        length_penalty=length_penalty,
        eos_token_id=eos,
    )
    options = {"numBeams": num_beams, "maxNewTokens": steps, "eosTokenId": eos}
    found = js(
        """([table, prompt, options]) => lab.beams.beamSearch(
          (ids) => table[ids.length - prompt.length][ids.at(-1)], prompt, options)""",
        [table.tolist(), prompt, options | {"lengthPenalty": length_penalty}],
    )
    assert found["finished"][0]["ids"] == ids
    assert found["finished"][0]["score"] == pytest.approx(score, abs=1e-9)
    assert len(found["steps"][0]) == min(2 * num_beams, size)


def test_draws_follow_the_distribution_and_the_seed(js: Any) -> None:
    shares = [0.55, 0.25, 0, 0.15, 0.05]
    draw = """([shares, draws, seed]) =>
      [...lab.random.drawMany(shares, draws, lab.random.generator(seed))]"""
    counts = js(draw, [shares, 20_000, 5])
    for share, count in zip(shares, counts, strict=True):
        low, high = oracle.binomial_range(20_000, share) if share else (0, 0)
        assert low <= count <= high
    assert js(draw, [shares, 20_000, 5]) == counts
    assert js(draw, [shares, 20_000, 6]) != counts


def test_more_draws_come_closer(js: Any) -> None:
    shares = np.full(50, 1 / 50).tolist()
    gaps = [
        js(
            """([shares, draws]) => {
              const uniform = lab.random.generator(1);
              const counts = lab.random.drawMany(shares, draws, uniform);
              return lab.statistics.distance(counts, draws, shares);
            }""",
            [shares, draws],
        )
        for draws in (100, 10_000, 1_000_000)
    ]
    assert gaps[0] > 3 * gaps[1] > 9 * gaps[2]


def test_repetition_is_found(js: Any) -> None:
    ids = [9, 1, 2, 3, 4, 7, 1, 2, 3, 4, 8]
    marks = js("(ids) => lab.statistics.repeated(ids)", ids)
    assert [i for i, mark in enumerate(marks) if mark] == [6, 7, 8, 9]
    assert js("(ids) => lab.statistics.circle(ids)", ids) is None
    turning = [9, *[1, 2, 3] * 4]
    assert js("(ids) => lab.statistics.circle(ids)", turning) == {
        "length": 3,
        "times": 4,
    }
