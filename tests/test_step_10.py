"""Checks step 10: the residual connection around a normalized sublayer."""

import numpy as np

from course.check_program import check_file
from course.checks import expect_close
from tests import fakes
from tests.oracle.notes import Aside, note

SHAPES = [(2, 3, 5), (3, 1, 4)]


def stream(*shape):
    return np.random.default_rng(10).normal(0, 1, shape).astype(np.float32)


def apply(step, x, norm, sublayer):
    """Calls the function with x · scale + shift as the norm and as the sublayer."""
    norm, sublayer = fakes.Affine(*norm), fakes.Affine(*sublayer)
    note("`x`", x)
    note("norm(x)", normalized := x * norm.scale + norm.shift)
    note(Aside("sublayer(x)"), x * sublayer.scale + sublayer.shift)
    note("sublayer(norm(x))", normalized * sublayer.scale + sublayer.shift)
    value = step.pre_norm_residual(x, step.hold(norm), step.hold(sublayer))
    call = (
        f"pre_norm_residual(x {list(x.shape)}, norm: x · {norm.scale} + {norm.shift}, "
        f"sublayer: x · {sublayer.scale} + {sublayer.shift})"
    )
    return value, call


def test_silent_sublayer(step):
    """Where the sublayer gives 0, x comes out as it went in.

    This is what makes deep networks trainable: information, and the gradient on its
    way back, can pass every layer undisturbed.
    """
    x = stream(2, 3, 5)
    value, call = apply(step, x, (0.5, 1.0), (0.0, 0.0))
    expect_close(value, x, call)


def test_adds(step):
    """The sublayer's result is added to x.

    A layer corrects what is there instead of replacing it.
    """
    x = stream(2, 3, 5)
    value, call = apply(step, x, (1.0, 0.0), (0.0, 1.5))
    expect_close(value, x + 1.5, call)


def test_norm_is_for_the_sublayer(step):
    """The sublayer sees norm(x); what is added to is x itself.

    Here the norm makes everything 0.5, so the sublayer can only give 3 · 0.5.
    """
    x = stream(2, 3, 5)
    value, call = apply(step, x, (0.0, 0.5), (3.0, 0.0))
    expect_close(value, x + 1.5, call)


def test_equation(step):
    """The result is x + sublayer(norm(x)), for every shape.

    GPT-2 normalizes before the sublayer, and once: the first transformer did it after
    the sum.
    """
    for shape in SHAPES:
        x = stream(*shape)
        value, call = apply(step, x, (0.5, 1.0), (-3.0, 2.0))
        expect_close(value, x - 3 * (x * 0.5 + 1) + 2, call)


def test_texts(step):
    """The norm and the sublayer get the texts as they are: [B, T, C].

    Attention reads the tokens of one text, and of no other. Here the sublayer adds each
    text's first token.
    """
    x = stream(2, 3, 5)
    normalized = x * 0.5 + 1
    norm, sublayer = step.hold(fakes.Affine(0.5, 1.0)), step.hold(fakes.AddsFirst())
    note("norm(x)", normalized)
    expected = x + normalized + normalized[:, :1]
    call = "pre_norm_residual(x [2, 3, 5], norm, sublayer: adds each text's token 0)"
    expect_close(step.pre_norm_residual(x, norm, sublayer), expected, call)


def test_traces(step):
    """It also works while a model is compiled, when batch and length are symbols.

    Tensors have no values then, only shapes.
    """
    shape = ("float32", ["batch", "seq", 12])
    step.trace("pre_norm_residual", shape, through=fakes.through_affines)


if __name__ == "__main__":
    check_file(__file__)
