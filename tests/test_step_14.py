"""Checks step 14: text generation."""

import fakes
import numpy as np

from course.checks import expect_close, expect_equal, expect_tensor, require

# The likeliest token after 0 is 3, after 3 it is 1, and so on; 2 follows itself.
FOLLOWS = {0: 3, 3: 1, 1: 4, 4: 2, 2: 2}


def chain(preference=4.0):
    """Logits ``[5, 5]`` that prefer each token's follower."""
    table = np.random.default_rng(14).normal(0, 0.3, (5, 5)).astype(np.float32)
    for token, follower in FOLLOWS.items():
        table[token, follower] += preference
    return table


def ids(*rows):
    return np.array(rows, dtype=np.int64)


def generate(step, model, prompt, *args, **kwargs):
    """Runs generate_tokens and returns its ids and how it was called."""
    options = "".join(f", {a}" for a in args)
    options += "".join(f", {k}={v}" for k, v in kwargs.items() if k != "rng")
    call = f"generate_tokens(model, ids {list(prompt.shape)}{options})"
    value = step.generate_tokens(model, prompt, *args, **kwargs)
    return value, call


def test_next_token_greedy(step):
    """Without sampling, the next token is the one with the highest logit.

    Only the logits of the last position count: they are what follows the text.
    """
    model = step.hold(fakes.TableModel(chain()))
    value = step.generate_next_token(model, ids([2, 0], [0, 4], [1, 3]), 1.0, False)
    call = "generate_next_token(model, ids [3, 2], 1.0, False)"
    expect_close(value, ids([3], [2], [1]), call, dtype="int64")
