"""Checks step 08: scaled, causal dot-product attention."""

import numpy as np
import oracle

from course.checks import expect_close, require

SHAPES = [(3, 5), (2, 7, 3), (2, 3, 6, 5)]


def inputs(*shape, seed=8):
    """Query, key and value, with numbers large enough for softmax to prefer some."""
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 1.5, shape).astype(np.float32) for _ in range(3)]


def call(shape):
    return f"compute_attention(query, key, value), each {list(shape)}"


def test_one_token(step):
    """A single token gets its own value back.

    It has nobody else to look at, so its weight on itself is 1.
    """
    query, key, value = inputs(1, 5)
    expect_close(step.compute_attention(query, key, value), value, call((1, 5)))


def test_equation(step):
    """Each result is the average of the values, weighted by softmax(q·k / √D).

    This is the one place in GPT-2 where tokens exchange information.
    """
    for shape in SHAPES:
        query, key, value = inputs(*shape)
        expected = oracle.attention(query, key, value)
        expect_close(step.compute_attention(query, key, value), expected, call(shape))


def test_causal(step):
    """A later token never changes an earlier result.

    If it did, the model could copy the answer in training and would have nothing to
    look at when it writes.
    """
    query, key, value = inputs(2, 6, 3)
    before = step.compute_attention(query, key, value)
    key[:, 4:], value[:, 4:] = 9, -9
    after = step.compute_attention(query, key, value)
    same = np.allclose(before.values[:, :4], after.values[:, :4], atol=1e-6)
    message = "Changing tokens 4 and 5 changed the results of tokens 0 to 3."
    require(same, message, call((2, 6, 3)), after.values)


def test_weights_sum_to_one(step):
    """The weights of every row sum to 1.

    Where all values are equal, any average gives that value back.
    """
    query, key, _ = inputs(2, 7, 3)
    value = np.full((2, 7, 3), 2.5, np.float32)
    expect_close(step.compute_attention(query, key, value), value, call((2, 7, 3)))


def test_large_scores(step):
    """Large scores choose one token and stay finite.

    exp(200) does not fit in a float32, so softmax must subtract the largest score.
    """
    query, key, value = inputs(4, 3)
    query, key = query * 40, key * 40
    expected = oracle.attention(query, key, value)
    expect_close(step.compute_attention(query, key, value), expected, call((4, 3)))


def test_traces(step):
    """The code also works while a model is compiled, when lengths are not known.

    From step 12 on the model is compiled once for texts of every length.
    """
    shape = ["batch", 3, "length", 5]
    step.trace("compute_attention", *[("float32", shape)] * 3)
