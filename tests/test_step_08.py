"""Checks step 08: scaled, causal dot-product attention."""

import numpy as np

from course.check_program import check_file
from course.checks import expect_close, expect_tensor, require
from tests.oracle import model as oracle


def inputs(*shape, seed=8):
    """Query, key and value, with numbers large enough for softmax to prefer some."""
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 1.5, shape).astype(np.float32) for _ in range(3)]


def call(*shape):
    return f"compute_attention(query, key, value), each {list(shape)}"


def test_one_token(step):
    """A single token gets its own value back.

    It has nobody else to look at, so its share of itself is 1.
    """
    step.compute_attention(*inputs(3, 5))  # nothing may be kept of an earlier text
    query, key, value = inputs(1, 5)
    expect_close(step.compute_attention(query, key, value), value, call(1, 5))


def test_shares_sum_to_one(step):
    """The shares of every row sum to 1.

    Where all values are equal, any mix gives that value back.
    """
    query, key, _ = inputs(2, 7, 3)
    value = np.full((2, 7, 3), 2.5, np.float32)
    expect_close(step.compute_attention(query, key, value), value, call(2, 7, 3))


def test_causal(step):
    """A later token never changes an earlier result.

    If it did, the model could copy the answer in training and would have nothing to
    look at when it writes.
    """
    query, key, value = inputs(2, 6, 3)
    for tensor in (query, key, value):
        tensor[1, :4] = tensor[0, :4]  # the two texts differ from token 4 on
    value_of = step.compute_attention(query, key, value)
    got = expect_tensor(value_of, [2, 6, 3], call(2, 6, 3))
    same = np.allclose(got[0, :4], got[1, :4], atol=1e-5)
    message = "Other tokens 4 and 5 gave other results for tokens 0 to 3."
    require(same, message, call(2, 6, 3), got)


def test_equation(step):
    """Each result is the mix of the values, in shares of softmax(q·k / √D).

    This is the one place in GPT-2 where tokens exchange information. The square root
    keeps the scores near 1 whatever the size of a head.
    """
    for shape in [(3, 5), (7, 2)]:
        query, key, value = inputs(*shape)
        expected = oracle.attention(query, key, value)
        expect_close(step.compute_attention(query, key, value), expected, call(*shape))


def test_batches_and_heads(step):
    """Every text of a batch, and every head, attends on its own.

    Only the last two axes are tokens and channels; all axes before them just repeat
    the same calculation.
    """
    for shape in [(2, 7, 3), (2, 3, 6, 5)]:
        query, key, value = inputs(*shape, seed=9)
        expected = oracle.attention(query, key, value)
        expect_close(step.compute_attention(query, key, value), expected, call(*shape))


def test_large_scores(step):
    """Large scores choose one token and stay finite.

    exp(200) does not fit in a float32, so softmax must subtract the largest score.
    """
    query, key, value = inputs(4, 3)
    query, key = query * 40, key * 40
    expected = oracle.attention(query, key, value)
    expect_close(step.compute_attention(query, key, value), expected, call(4, 3))


def test_hidden_whatever_the_scores(step):
    """A hidden token has no share at all, however low the other scores are.

    Only -inf loses against every score. A large negative number is merely a low
    score, and a lower one beats it.
    """
    query, key, value = inputs(4, 3)
    query[:], key[:] = 1e5, 0
    key[0] = -1e5  # every score of the first token is low
    expected = oracle.attention(query, key, value)
    expect_close(step.compute_attention(query, key, value), expected, call(4, 3))


def test_traces(step):
    """The code also works while a model is compiled, when lengths are not known.

    A model is compiled once for texts of every length: then the number of tokens is a
    symbol, and only the head size is a number.
    """
    shape = ["batch", 3, "seq", 5]
    step.trace("compute_attention", *[("float32", shape)] * 3)


if __name__ == "__main__":
    check_file(__file__)
