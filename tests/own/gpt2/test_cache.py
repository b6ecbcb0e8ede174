"""Texts of different lengths in one batch: each text is as if alone."""

import numpy as np
import pytest

from gpt2.engine.cache import gather
from gpt2.engine.engines import Engine
from tests.own.gpt2.test_engine import CONFIG, FULL, NEAR, WEIGHTS

CHANCE = np.random.default_rng(3)


@pytest.fixture(scope="module")
def engine():
    return Engine(CONFIG, WEIGHTS)


def alone(engine, prompt, count):
    """Returns greedy ids ``[count]`` and their logits ``[count, V]``."""
    logits = [engine.prefill(prompt[None])[0]]
    while len(logits) < count:
        logits.append(engine.decode(logits[-1].argmax(keepdims=True))[0])
    return np.stack(logits).argmax(axis=-1), np.stack(logits)


class Row:
    """A text in the batch, with its logits so far and the number of tokens to write."""

    def __init__(self, length, count):
        self.prompt = CHANCE.integers(0, CONFIG.vocab_size, length)
        self.count, self.logits = count, []

    @property
    def last(self):
        return self.logits[-1].argmax()


def test_texts_join_and_leave_at_any_time(engine):
    lengths = [5, 40, 1, FULL - 3, 17, 2, 33, 60, 9, 1]
    waiting = [Row(n, min(FULL - n + 1, 3 + 5 * i)) for i, n in enumerate(lengths)]
    rows, texts, cache = waiting.copy(), [], engine.empty_cache(0)
    while waiting or texts:
        kept = [i for i, row in enumerate(texts) if len(row.logits) < row.count]
        parts, texts = [(cache, kept)], [texts[i] for i in kept]
        while waiting and (not texts or (len(texts) < 5 and CHANCE.random() < 0.4)):
            texts.append(waiting.pop(0))
            parts.append((engine.empty_cache(1), [0]))
            texts[-1].logits += [*engine.extend(parts[-1][0], texts[-1].prompt[None])]
        going = [row for row in texts if len(row.logits) < row.count]
        cache = gather(parts).select([texts.index(row) for row in going])
        texts = going
        if texts:
            last = np.array([[row.last] for row in texts])
            for row, scores in zip(texts, engine.extend(cache, last), strict=True):
                row.logits.append(scores)
    for row in rows:
        ids, logits = alone(engine, row.prompt, row.count)
        np.testing.assert_array_equal(np.argmax(row.logits, axis=-1), ids)
        np.testing.assert_allclose(row.logits, logits, **NEAR)


def test_several_tokens_for_texts_of_different_lengths(engine):
    prompts = [CHANCE.integers(0, CONFIG.vocab_size, n) for n in (3, 30, 11)]
    more = CHANCE.integers(0, CONFIG.vocab_size, [3, 7])
    parts = []
    for prompt in prompts:
        parts.append((engine.empty_cache(1), [0]))
        engine.extend(parts[-1][0], prompt[None])
    cache = gather(parts)
    first, second = engine.extend(cache, more[:, :4]), engine.extend(cache, more[:, 4:])
    for row, prompt in enumerate(prompts):
        found = engine.prefill(np.concatenate([prompt, more[row, :4]])[None])
        np.testing.assert_allclose(first[row], found[0], **NEAR)
        found = engine.prefill(np.concatenate([prompt, more[row]])[None])
        np.testing.assert_allclose(second[row], found[0], **NEAR)


def test_what_was_left_behind_a_text_does_not_matter(engine):
    """A new cache's memory may hold any values, also NaN."""
    short, long = engine.empty_cache(1), engine.empty_cache(1)
    for cache, size in ((short, 4), (long, 50)):
        for buffer in cache.buffers:
            buffer.to_numpy()[:] = np.nan
        engine.extend(cache, np.arange(size)[None])
    cache = gather([(short, [0]), (long, [0])])
    for _ in range(3):
        logits = engine.extend(cache, np.array([[7], [8]]))
        assert np.isfinite(logits).all()


def test_the_longest_text_decides_whether_there_is_room(engine):
    full, other = engine.empty_cache(1), engine.empty_cache(1)
    engine.extend(full, np.zeros([1, FULL], dtype=np.int64))
    engine.extend(other, np.zeros([1, 2], dtype=np.int64))
    cache = gather([(full, [0]), (other, [0])])
    with pytest.raises(ValueError, match=f"{FULL + 1} tokens are more than"):
        engine.extend(cache, np.zeros([2, 1], dtype=np.int64))
    engine.extend(cache.select([1]), np.zeros([1, 1], dtype=np.int64))
