"""Checks step 04: the feed-forward network."""

import numpy as np

from course.check_program import check_file
from course.checks import build, expect_close, expect_own_weights
from course.symptoms.functions import ACTIVATIONS
from tests.oracle import model as oracle
from tests.oracle.notes import Aside, note

# The width between the layers, then the shape of x, whose last number is C.
CASES = [(11, (4, 5)), (3, (2, 3, 7)), (13, (3, 2, 1, 6))]


def inputs(*shape, seed=4):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def state_for(inner, channels, seed=40, scale=0.5):
    shapes = {
        "c_fc.weight": (inner, channels),
        "c_fc.bias": (inner,),
        "c_proj.weight": (channels, inner),
        "c_proj.bias": (channels,),
    }
    return oracle.random_state(shapes, seed, scale)


def make(step, inner, channels, state):
    config = step.config(n_embd=channels, n_head=1)
    return build(step, "GPT2MLP", inner, config, state=state)


def note_activations(x):
    """Notes what other activations give."""
    for name, function in ACTIVATIONS:
        note(Aside(f"{name} of `x`"), function(x))
    note(Aside("GELU applied twice"), oracle.gelu(oracle.gelu(x)))


def call(inner, shape):
    return f"GPT2MLP({inner}, config)(x), n_embd={shape[-1]}, x is {list(shape)}"


def test_parameters(step):
    """It has two linear layers with biases, c_fc to the given width and c_proj back.

    These are the names that the checkpoint has. The width is the first argument.
    """
    for inner, shape in CASES[:2]:
        make(step, inner, shape[-1], state_for(inner, shape[-1]))


def test_layers(step):
    """Every token goes through c_fc and then through c_proj.

    Here all numbers between the two are near 20, where GELU changes nothing, so only
    the layers show.
    """
    for inner, shape in CASES:
        state = state_for(inner, shape[-1])
        state["c_fc.bias"] += 20
        got = make(step, inner, shape[-1], state)(x := inputs(*shape))
        expect_close(got, oracle.mlp(x, state), call(inner, shape))


def test_gelu(step):
    """Between the two layers stands GELU.

    Without a bend between them, two linear layers would do no more than one. Here
    both layers pass on what they get.
    """
    for shape in [(4, 5), (2, 3, 7)]:
        width = shape[-1]
        state = {name: np.eye(width) for name in ("c_fc.weight", "c_proj.weight")}
        state |= {name: np.zeros(width) for name in ("c_fc.bias", "c_proj.bias")}
        state = {name: array.astype(np.float32) for name, array in state.items()}
        got = make(step, width, width, state)(x := inputs(*shape) * 2)
        expected = oracle.mlp(x, state)
        note_activations(x.astype(np.float64))
        asked = f"{call(width, shape)}, both layers the identity"
        expect_close(got, expected, asked, tolerance=1e-2)


def test_tanh_form(step):
    """GELU is computed by the formula with tanh, with which GPT-2 was trained.

    The exact form differs from it by up to 0.0005 per number, and over twelve blocks
    that adds up.
    """
    for inner, shape in CASES:
        state = state_for(inner, shape[-1], seed=41, scale=1.0)
        got = make(step, inner, shape[-1], state)(x := inputs(*shape, seed=42))
        expect_close(got, oracle.mlp(x, state), call(inner, shape))


def test_own_weights(step):
    """Each module uses its own weights, and those that were loaded last.

    A program may hold several models. Nothing of one may stay behind in another, and
    nothing of a call in the module.
    """
    x = inputs(4, 5)
    states = state_for(11, 5), state_for(11, 5, seed=43)
    first, second = (make(step, 11, 5, state) for state in states)

    def expect(value, state, when):
        expect_close(value, oracle.mlp(x, state), f"{call(11, x.shape)}, {when}")

    expect_own_weights(first, second, states, expect, x)


def test_traces(step):
    """The code also works while a model is compiled, when lengths are not known.

    From step 12 on the model is compiled once for texts of every length.
    """
    mlp = make(step, 11, 5, state_for(11, 5))
    mlp.trace(("float32", ["batch", "seq", 5]))


if __name__ == "__main__":
    check_file(__file__)
