"""Checks step 07: query, key and value."""

import numpy as np

from course.check_program import check_file
from course.checks import (
    CheckFailed,
    build,
    expect_close,
    expect_own_weights,
    expect_parameters,
    expect_tensor,
    kind_of,
)
from tests import fakes
from tests.oracle import model as oracle
from tests.oracle.notes import note

# The shape [B, T, C], and the heads H, which must have no effect in this step.
SHAPES = [((2, 3, 5), 1), ((1, 7, 6), 3), ((3, 1, 2), 2)]
NAMES = ["query", "key", "value"]


def inputs(*shape, seed=7):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def state_for(channels, seed=70):
    shapes = {"weight": (3 * channels, channels), "bias": (3 * channels,)}
    shapes = {f"c_attn.{name}": shape for name, shape in shapes.items()}
    return oracle.random_state(shapes, seed)


def make(step, channels, heads=1):
    config = step.config(n_embd=channels, n_head=heads)
    return build(step, "GPT2SingleHeadQKV", config, state=state_for(channels))


def three(result, shape):
    """Requires query, key and value of the right shape; returns the three."""
    if not isinstance(result, tuple | list) or len(result) != 3:
        message = "The result is not three tensors: query, key and value."
        facts = [("called", call(shape)), ("yours", kind_of(result))]
        raise CheckFailed(message, facts, kind_of(result))
    for name, part in zip(NAMES, result, strict=True):
        expect_tensor(part, list(shape), f"{name} of {call(shape)}")
    return result


def call(shape):
    return f"GPT2SingleHeadQKV(config)(x), x is {list(shape)}"


def test_parameters(step):
    """It has one linear layer with a bias, c_attn, from C channels to 3 C.

    One large multiplication is faster than three small ones, and the checkpoint has
    it in this form.
    """
    for channels in (5, 6):
        make(step, channels)


def test_three_results(step):
    """There are three results, each of the same shape as x.

    The heads come in step 09; here the channels stay together.
    """
    for shape, heads in SHAPES:
        three(make(step, shape[-1], heads)(inputs(*shape)), shape)


def test_numbers(step):
    """The query is the first third of the layer's channels, the key the second.

    The value is the last third. In this order GPT-2's checkpoint holds them.
    """
    modules = [make(step, shape[-1], heads) for shape, heads in SHAPES]
    texts = [shape for shape, _ in SHAPES]
    again = modules[0], (1, 6, 5)  # a second text: nothing may be kept of the first
    for module, shape in [*zip(modules, texts, strict=True), again]:
        x = inputs(*shape)
        heads = dict(SHAPES).get(shape, SHAPES[0][1])
        note("√D", (shape[-1] / heads) ** 0.5)
        result = three(module(x), shape)
        expected = oracle.qkv(x, state_for(shape[-1]))
        everything = np.concatenate([part.values for part in result], axis=-1)
        for name, part, right in zip(NAMES, result, expected, strict=True):
            try:
                expect_close(part, right, f"{name} of {call(shape)}")
            except CheckFailed as error:
                error.observed = everything
                raise


def test_name_stays_out(step):
    """Inside another module its own name stays out of its parameters' names.

    GPT-2's checkpoint says attn.c_attn.weight, with nothing between the two words.
    """
    holder = step.hold(fakes.inside_another)(make(step, 5))
    yours = holder.parameter_shapes()
    expected = {name: list(array.shape) for name, array in state_for(5).items()}
    expect_parameters(yours, expected, "parameters of the outer one")


def test_own_weights(step):
    """Each module uses its own weights, and those that were loaded last.

    A program may hold several models. Nothing of one may stay behind in another, and
    nothing of a call in the module.
    """
    x = inputs(2, 3, 5)
    states = state_for(5), state_for(5, seed=71)
    config = step.config(n_embd=5, n_head=1)
    first, second = (
        build(step, "GPT2SingleHeadQKV", config, state=state) for state in states
    )

    def expect(value, state, when):
        parts = zip(three(value, x.shape), oracle.qkv(x, state), NAMES, strict=True)
        for part, right, name in parts:
            expect_close(part, right, f"{name} of {call(x.shape)}, {when}")

    expect_own_weights(first, second, states, expect, x)


def test_traces(step):
    """The code also works while a model is compiled, when lengths are not known.

    From step 12 on the model is compiled once for texts of every length.
    """
    make(step, 5).trace(("float32", ["batch", "seq", 5]))


if __name__ == "__main__":
    check_file(__file__)
