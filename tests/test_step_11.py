"""Checks step 11: the transformer block."""

import numpy as np

from course.check_program import check_file
from course.checks import build, expect_close, expect_own_weights
from tests.oracle import model as oracle


def block(step, *silent, channels=12, heads=3, inner=7, eps=1e-5, seed=11):
    """Returns the module and its weights; layers named ``silent`` give 0."""
    state = oracle.random_state(oracle.block_shapes(channels, inner), seed)
    for name in state:
        if name.startswith(silent):
            state[name][:] = 0
    sizes = {"n_embd": channels, "n_head": heads, "n_inner": inner}
    config = step.config(**sizes, layer_norm_epsilon=eps)
    return build(step, "GPT2Block", config, state=state), state


def tokens(*shape, seed=110):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def call(x, heads=3, inner=7):
    return f"GPT2Block(config)(x), x {list(x.shape)}, n_head={heads}, n_inner={inner}"


def test_parameters(step):
    """It has the checkpoint's twelve parameters, and n_inner decides the MLP's width.

    They belong to ln_1, attn, ln_2 and mlp. Weights are loaded by name.
    """
    block(step)


def test_attention_half(step):
    """Where the MLP gives 0, the result is x + attn(ln_1(x)).

    This half is where tokens exchange what they know.
    """
    module, state = block(step, "mlp.c_proj")
    x = tokens(2, 5, 12)
    expect_close(module(x), oracle.block(x, state, 3, 1e-5), call(x))


def test_mlp_half(step):
    """Where attention gives 0, the result is x + mlp(ln_2(x)).

    This half is where each token is thought over alone.
    """
    module, state = block(step, "attn.c_proj")
    x = tokens(2, 5, 12)
    expect_close(module(x), oracle.block(x, state, 3, 1e-5), call(x))


def test_one_after_the_other(step):
    """The MLP works on what attention has left, and adds to it.

    Attention first, then the MLP, each on the newest x.
    """
    module, state = block(step, channels=10, heads=2, inner=13)
    x = tokens(3, 4, 10)
    expected = oracle.block(x, state, 2, 1e-5)
    expect_close(module(x), expected, call(x, 2, 13), tolerance=5e-5)


def test_epsilon(step):
    """Both normalizations use the configuration's layer_norm_epsilon.

    With small numbers it matters: then it is most of what stands under the root.
    """
    x = tokens(2, 3, 12) * 0.3
    module, state = block(step, eps=0.25)
    expected = oracle.block(x, state, 3, 0.25)
    call_with_eps = f"{call(x)}, layer_norm_epsilon=0.25"
    expect_close(module(x), expected, call_with_eps, tolerance=5e-5)


def test_own_weights(step):
    """Each module uses its own weights, and those that were loaded last.

    A program may hold several models. Nothing of one may stay behind in another, and
    nothing of a call in the module.
    """
    x = tokens(2, 5, 12)
    first, one = block(step)
    second, two = block(step, heads=2, eps=0.25, seed=12)

    def expect(value, state, when):
        right = oracle.block(x, state, 3, 1e-5)
        expect_close(value, right, f"{call(x)}, {when}", tolerance=5e-5)

    expect_own_weights(first, second, (one, two), expect, x)


def test_traces(step):
    """It also works while a model is compiled, when batch and length are symbols.

    The numbers of the configuration are all that is known then.
    """
    block(step)[0].trace(("float32", ["batch", "seq", 12]))


if __name__ == "__main__":
    check_file(__file__)
