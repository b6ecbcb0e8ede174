"""Distinct n-grams and repetition, on texts short enough to count by hand."""

import pytest

from gpt2.decoding.ngrams import distinct, ngrams, repeats, repetition


def test_ngrams():
    assert ngrams([1, 2, 3], 2) == [(1, 2), (2, 3)]
    assert ngrams([1, 2, 3], 3) == [(1, 2, 3)]
    assert ngrams([1, 2, 3], 4) == []


@pytest.mark.parametrize(
    ("texts", "n", "share"),
    [
        ([[1, 2, 3]], 1, 1.0),
        ([[1, 1, 1, 1]], 1, 0.25),
        ([[1, 2, 1, 2, 1]], 2, 0.5),
        ([[1, 2], [1, 2]], 2, 0.5),  # counted over all texts
        ([[1, 2], [3, 4]], 2, 1.0),  # no pair spans two texts
        ([[1], []], 1, 1.0),
    ],
)
def test_distinct(texts, n, share):
    assert distinct(texts, n) == share


def test_nothing_to_count():
    assert distinct([], 1) is None
    assert distinct([[1], [2]], 2) is None
    assert repetition([1, 2, 3]) is None
    assert repeats([1, 2, 3]) == [False] * 3
    assert repeats([]) == []


def test_repetition_of_a_loop():
    ids = [5, 6] * 10  # 17 four-grams, two of them different
    assert repetition(ids) == pytest.approx(15 / 17)
    assert repetition([1, 2, 3, 4, 5]) == 0


def test_repeats_mark_the_end_of_a_run_that_was_there_before():
    ids = [1, 2, 3, 4, 9, 1, 2, 3, 4]
    assert repeats(ids) == [False] * 8 + [True]
    assert sum(repeats([5, 6] * 10)) == 15
