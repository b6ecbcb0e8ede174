"""Checks step 09: multi-head attention."""

import numpy as np

from course.check_program import check_file
from course.checks import (
    build,
    expect_close,
    expect_own_weights,
    expect_tensor,
    require,
)
from tests.oracle import model as oracle

CALL = "GPT2MultiHeadAttention(config)(x)"


def attention(step, channels, heads, seed=9, **weights):
    """Returns the module and its weights; ``weights`` replaces some of these."""
    state = oracle.random_state(oracle.attention_shapes(channels), seed) | weights
    config = step.config(n_embd=channels, n_head=heads)
    return build(step, "GPT2MultiHeadAttention", config, state=state), state


def tokens(*shape, seed=90):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def call(x, heads):
    return f"{CALL}, x {list(x.shape)}, n_head={heads}"


def test_parameters(step):
    """It has the checkpoint's four parameters: weight and bias of c_attn and c_proj.

    Weights are loaded by name, so another name or shape would leave a layer empty.
    """
    attention(step, 12, 3)


def test_one_head(step):
    """With one head it is step 07, then step 08, then c_proj.

    One head has all channels, so it does not matter which channels belong to which
    head.
    """
    module, state = attention(step, 5, 1)
    x = tokens(2, 3, 5)
    expected = oracle.multi_head_attention(x, state, 1)
    expect_close(module(x), expected, call(x, 1))


def test_heads(step):
    """Head h attends alone, to channels h·D to (h + 1)·D of query, key and value.

    Its result has the same place among the channels. Here c_proj passes the heads on
    as they are, so what is wrong here is the splitting or the merging.
    """
    identity = {"c_proj.weight": np.eye(12), "c_proj.bias": np.zeros(12)}
    identity = {name: w.astype(np.float32) for name, w in identity.items()}
    module, state = attention(step, 12, 3, **identity)
    x = tokens(2, 5, 12)
    expected = oracle.multi_head_attention(x, state, 3)
    expect_close(module(x), expected, f"{call(x, 3)}, c_proj the identity")


def test_equation(step):
    """The result is c_proj of all heads' results side by side.

    Each head asks its own question; c_proj mixes the answers.
    """
    module, state = attention(step, 10, 5, seed=10)  # more heads than D = 2
    x = tokens(3, 4, 10)
    expected = oracle.multi_head_attention(x, state, 5)
    expect_close(module(x), expected, call(x, 5))


def test_causal(step):
    """A later token never changes an earlier result.

    Heads look at different things, but none of them looks ahead.
    """
    module, _ = attention(step, 6, 2)
    x = tokens(2, 5, 6)
    x[1, :3] = x[0, :3]  # the two texts differ from token 3 on
    got = expect_tensor(module(x), [2, 5, 6], call(x, 2))
    same = np.allclose(got[0, :3], got[1, :3], atol=1e-5)
    message = "Other tokens 3 and 4 gave other results for tokens 0 to 2."
    require(same, message, call(x, 2), got)


def test_any_length(step):
    """The same module takes texts of every length and batches of every size.

    Nothing about one text may stay behind in the module.
    """
    module, state = attention(step, 6, 2)
    for shape in [(1, 4, 6), (3, 1, 6), (2, 7, 6)]:
        x = tokens(*shape)
        expected = oracle.multi_head_attention(x, state, 2)
        expect_close(module(x), expected, call(x, 2))


def test_own_weights(step):
    """Each module uses its own weights, and those that were loaded last.

    A program may hold several models. Nothing of one may stay behind in another, and
    nothing of a call in the module.
    """
    x = tokens(2, 5, 12)
    first, one = attention(step, 12, 3)
    second, two = attention(step, 12, 2, seed=11)

    def expect(value, state, when):
        right = oracle.multi_head_attention(x, state, 3)
        expect_close(value, right, f"{call(x, 3)}, {when}")

    expect_own_weights(first, second, (one, two), expect, x)


def test_traces(step):
    """It also works while a model is compiled, when batch and length are symbols.

    Only C, H and D are numbers then; the other sizes come from the tensor's shape.
    """
    module, _ = attention(step, 12, 3)
    module.trace(("float32", ["batch", "seq", 12]))


if __name__ == "__main__":
    check_file(__file__)
