"""Checks step 12: stacking, from token ids to hidden states."""

import numpy as np

from course.check_program import check_file
from course.checks import build, expect_close, expect_own_weights
from tests.oracle import model as oracle

SIZES = {"vocab": 11, "positions": 9, "channels": 12, "layers": 2, "inner": 7}


def model(step, eps=1e-5, seed=12, heads=4, **sizes):
    """Returns the module, and a function from ids to the oracle's result."""
    sizes = SIZES | sizes
    state = oracle.random_state(oracle.parameter_shapes(**sizes), seed)
    config = step.config(
        vocab_size=sizes["vocab"],
        n_positions=sizes["positions"],
        n_embd=sizes["channels"],
        n_layer=sizes["layers"],
        n_head=heads,
        n_inner=sizes["inner"],
        layer_norm_epsilon=eps,
    )
    module = build(step, "GPT2Model", config, state=state)
    layers = sizes["layers"]

    def expected(ids, weights=state):
        return oracle.hidden_states(ids, weights, layers, heads, eps)

    return module, expected


def ids(*shape, vocab=11, seed=120):
    return np.random.default_rng(seed).integers(0, vocab, shape)


def call(x, **sizes):
    sizes = "".join(f", {name}={n}" for name, n in sizes.items())
    return f"GPT2Model(config)(ids), ids {list(x.shape)}{sizes}"


def test_parameters(step):
    """It has the checkpoint's parameters: wte, wpe, h.0 to h.(n_layer − 1), ln_f.

    Loading GPT-2's weights is a walk over these names.
    """
    model(step)


def test_embeddings(step):
    """Without any block, the result is ln_f(token + position embedding).

    Positions count from 0 in every text of the batch, and ln_f comes at the end.
    """
    module, expected = model(step, layers=0, vocab=8)
    for shape in [(3, 5), (2, 7)]:  # nothing of one text may be kept
        x = ids(*shape, vocab=8)
        expect_close(module(x), expected(x), call(x, n_layer=0))


def test_blocks(step):
    """Every block is used once, in order, with weights of its own.

    Block 1 reads what block 0 has added to the stream, and so on.
    """
    module, expected = model(step, layers=3, seed=13)
    x = ids(2, 9)  # the longest text: n_positions tokens
    expect_close(module(x), expected(x), call(x, n_layer=3), tolerance=5e-5)


def test_epsilon(step):
    """The last normalization uses the configuration's layer_norm_epsilon too.

    Other checkpoints of the family may have other values.
    """
    module, expected = model(step, layers=0, eps=0.25)
    x = ids(2, 3)
    asked = call(x, n_layer=0, layer_norm_epsilon=0.25)
    expect_close(module(x), expected(x), asked)


def test_one_token(step):
    """A text of one token is a text too.

    Generation may start with as little.
    """
    module, expected = model(step, layers=1, channels=10, heads=2)
    x = ids(3, 1)
    expect_close(module(x), expected(x), call(x, n_embd=10, n_head=2))


def test_own_weights(step):
    """Each module uses its own weights, and those that were loaded last.

    A program may hold several models. Nothing of one may stay behind in another, and
    nothing of a call in the module.
    """
    x = ids(2, 5)
    shapes = oracle.parameter_shapes(**SIZES | {"layers": 1})
    states = [oracle.random_state(shapes, seed) for seed in (12, 14)]
    first, right = model(step, layers=1)
    second, _ = model(step, layers=1, heads=3, eps=0.25, seed=14)

    def expect(value, state, when):
        asked = f"{call(x, n_layer=1)}, {when}"
        expect_close(value, right(x, state), asked, tolerance=5e-5)

    expect_own_weights(first, second, states, expect, x)


def test_traces(step):
    """It also works while a model is compiled, when batch and length are symbols.

    One compiled model then serves texts of every length.
    """
    model(step, layers=1)[0].trace(("int64", ["batch", "seq"]))


if __name__ == "__main__":
    check_file(__file__)
