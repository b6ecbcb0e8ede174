"""Checks step 02: the causal mask."""

import fakes
import numpy as np
import oracle

from course.checks import expect_close, expect_tensor, require


def mask(step, length, earlier):
    return step.causal_mask(length, earlier, dtype="DType.float32", device="CPU()")


def call(length, earlier):
    return f"causal_mask({length}, {earlier}, dtype=DType.float32, device=CPU())"


def test_square(step):
    """Without earlier context, row i may look at columns 0 to i.

    The first token sees only itself, the last one everything.
    """
    for length in (1, 3, 5):
        expected = oracle.causal_mask(length)
        expect_close(mask(step, length, 0), expected, call(length, 0))


def test_earlier_context(step):
    """With n tokens of earlier context, row i may look at columns 0 to i + n.

    The first n columns belong to tokens that every new token may see.
    """
    for length, earlier in [(3, 2), (2, 5), (1, 4)]:
        expected = oracle.causal_mask(length, earlier)
        expect_close(mask(step, length, earlier), expected, call(length, earlier))


def test_hidden_is_minus_infinity(step):
    """What is hidden is -inf, so that softmax gives it exactly 0.

    A large negative number is not enough: scores can be larger still.
    """
    got = expect_tensor(mask(step, 4, 1), [4, 5], call(4, 1))
    hidden = np.isneginf(oracle.causal_mask(4, 1))
    message = "Some of what row i may not see is not -inf."
    require(np.isneginf(got[hidden]).all(), message, call(4, 1), got)


def test_traces(step):
    """The mask can be built while the length is still a symbol.

    A model is compiled once for all lengths: then T is not yet a number, and a mask
    made with NumPy or a Python loop cannot be.
    """
    step.trace("causal_mask", ("float32", ["length", 2]), through=fakes.mask_for_scores)
