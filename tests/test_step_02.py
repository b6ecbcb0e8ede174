"""Checks step 02: the causal mask."""

from dataclasses import replace

import numpy as np

from course.check_program import check_file
from course.checks import expect_close, expect_tensor, require
from course.messages import Array
from tests import fakes
from tests.oracle import model as oracle
from tests.oracle.notes import note


def mask(step, length, earlier):
    return step.causal_mask(length, earlier, dtype="DType.float32", device="CPU()")


def call(length, earlier):
    return f"causal_mask({length}, {earlier}, dtype=DType.float32, device=CPU())"


def expect_hidden(step, length, earlier):
    """Compares the hidden places; here any large negative number hides a place."""
    expected = oracle.causal_mask(length, earlier)
    value = mask(step, length, earlier)
    if isinstance(value, Array):
        hidden = np.where(value.values < -100, -np.inf, value.values)
        value = replace(value, values=hidden)
    square = oracle.causal_mask(length)
    note("the mask without the columns of the earlier context", square)
    expect_close(value, expected, call(length, earlier), axes="row column")


def test_square(step):
    """Row i may look at columns 0 to i, where the mask is 0, and at no others.

    The mask is added to the scores, so 0 changes nothing. The first token sees only
    itself, the last one everything.
    """
    for length in (3, 1, 6):
        expect_hidden(step, length, 0)


def test_earlier_context(step):
    """With n tokens of earlier context, row i may look at columns 0 to i + n.

    The first n columns belong to tokens that every new token may see.
    """
    for length, earlier in [(3, 2), (2, 5), (1, 4)]:
        expect_hidden(step, length, earlier)


def test_hidden_is_minus_infinity(step):
    """Hidden places are -inf, so that their share is exactly 0.

    A large negative number is not enough: scores can be larger still.
    """
    for length, earlier in [(4, 1), (5, 0)]:
        hidden = np.isneginf(oracle.causal_mask(length, earlier))
        asked = call(length, earlier)
        got = expect_tensor(mask(step, length, earlier), [length, 5], asked)
        infinite = np.isneginf(got)
        message = "Some of what row i may not see is not -inf."
        require(infinite[hidden].all(), message, asked, infinite.astype(float))


def test_traces(step):
    """The mask can also be built while the length is not yet known.

    A model is compiled once for texts of every length: T is a symbol then, and a mask
    made with NumPy or a Python loop cannot be.
    """
    step.trace("causal_mask", ("float32", ["length", 2]), through=fakes.mask_for_scores)


def test_dtype(step):
    """The mask has the type that was asked for with dtype=.

    The scores of a large model often have 16 bits, and the mask is added to them.
    """
    mask(step, 4, 1)  # a mask of the same size and another type
    for length in ("length", 4):
        scores = "float16", [length, 2]
        step.trace("causal_mask", scores, through=fakes.mask_of_dtype)


if __name__ == "__main__":
    check_file(__file__)
