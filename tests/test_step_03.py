"""Checks step 03: layer normalization."""

import numpy as np

from course.check_program import check_file
from course.checks import TOLERANCE, build, expect_close, expect_own_weights
from tests.oracle import model as oracle
from tests.oracle.notes import note

SHAPES = [(4, 5), (2, 3, 7), (3, 1, 2, 6)]


def inputs(*shape, seed=3):
    """Tokens whose channels have neither mean 0 nor variance 1."""
    rng = np.random.default_rng(seed)
    return rng.normal(0.7, 1.6, shape).astype(np.float32)


def random_state(channels, seed=30):
    return oracle.random_state(oracle.norm_shapes("", channels), seed)


def plain_state(channels):
    """Weights and biases that change nothing."""
    ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    return {"weight": ones, "bias": zeros}


def normalized(x, eps=1e-5):
    return oracle.layer_norm(x, np.float64(1), np.float64(0), eps)


def check(step, x, state, tolerance=TOLERANCE, **eps):
    """Compares LayerNorm on ``x`` with the equation; returns the layer."""
    norm = build(step, "LayerNorm", x.shape[-1], state=state, **eps)
    shown = ", ".join(f"{name}={value}" for name, value in eps.items())
    call = f"LayerNorm({', '.join([str(x.shape[-1]), *filter(None, [shown])])})"
    x64 = x.astype(np.float64)
    note("`x`", x64)
    note("`x` minus the mean", x64 - x64.mean(axis=-1, keepdims=True))
    note("the mean", x64.mean(axis=-1, keepdims=True))
    note("the variance", x64.var(axis=-1, keepdims=True))
    note("the normalized numbers, before weight and bias", normalized(x64, **eps))
    note("`weight`", state["weight"])
    note("`bias`", state["bias"])
    expected = oracle.layer_norm(x64, **state, **eps)
    asked = f"{call}(x), x is {list(x.shape)}"
    expect_close(norm(x), expected, asked, tolerance=tolerance)
    return norm


def test_parameters(step):
    """It has a weight and a bias, one number per channel: ones and zeros at first.

    So a new layer only normalizes. These are the names that the checkpoint has.
    """
    build(step, "LayerNorm", 5, state=plain_state(5))
    fresh = step.LayerNorm(5)
    for name, start in plain_state(5).items():
        expect_close(fresh.get(name), start, f"LayerNorm(5).{name}")


def test_normalizes(step):
    """Each token's channels get mean 0 and variance 1.

    Mean and variance belong to one token alone: no other token has a say in them.
    The variance is the mean of the squared distances, divided by C.
    """
    for shape in SHAPES[:2]:
        check(step, inputs(*shape), plain_state(shape[-1]))


def test_scale_and_shift(step):
    """Then every channel is multiplied by its weight, and its bias is added.

    So the model can choose how large each channel is, and where its middle lies.
    """
    for shape in SHAPES[1:]:
        norm = check(step, inputs(*shape), random_state(shape[-1]))
    x = inputs(5, 6, seed=31)  # a second text: nothing may be kept of the first
    expected = oracle.layer_norm(x.astype(np.float64), **random_state(6))
    expect_close(norm(x), expected, "the same LayerNorm(6) on another x [5, 6]")


def test_equal_channels(step):
    """A token whose channels are all equal gives the bias, not NaN.

    Its variance is 0, and ε keeps the division possible.
    """
    x = np.repeat(np.float32([[0.25], [-0.125], [0]]), 4, axis=-1)  # an exact mean
    check(step, x, random_state(4))


def test_large_mean(step):
    """A mean that is large beside the differences costs no digits.

    The squares of such numbers are so large that float32 loses what tells them apart.
    """
    check(step, inputs(4, 5) + np.float32(3000), plain_state(5), tolerance=1e-2)


def test_epsilon(step):
    """ε is added to the variance before the square root, 1e-5 if nothing is said.

    It matters where the channels are nearly equal.
    """
    check(step, inputs(3, 5) * 0.003, random_state(5))


def test_own_epsilon(step):
    """LayerNorm(C, eps=…) uses the ε that it is given.

    GPT2Config has a field for it, and other models have other values there.
    """
    for eps in (0.3, 2.0):
        check(step, inputs(2, 3, 7), random_state(7), eps=eps)


def test_own_weights(step):
    """Each module uses its own weights, and those that were loaded last.

    A program may hold several models. Nothing of one may stay behind in another, and
    nothing of a call in the module.
    """
    x = inputs(2, 3, 7)
    states = random_state(7), random_state(7, seed=31)
    first = build(step, "LayerNorm", 7, state=states[0], eps=0.3)
    second = build(step, "LayerNorm", 7, state=states[1], eps=2.0)

    def expect(value, state, when):
        right = oracle.layer_norm(x.astype(np.float64), **state, eps=0.3)
        expect_close(value, right, f"LayerNorm(7, eps=0.3)(x), {when}")

    expect_own_weights(first, second, states, expect, x)


def test_traces(step):
    """The code also works while a model is compiled, when lengths are not known.

    From step 12 on the model is compiled once for texts of every length.
    """
    norm = build(step, "LayerNorm", 7, state=random_state(7))
    norm.trace(("float32", ["batch", "seq", 7]))


if __name__ == "__main__":
    check_file(__file__)
