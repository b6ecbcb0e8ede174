"""Checks step 13: the language-model head."""

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

AXES = "text token logit"
SIZES = {"vocab": 11, "positions": 7, "channels": 12, "inner": 5}


def model(step, layers=1, seed=13):
    """Returns the module, its weights, and the oracle as a function of ids."""
    shapes = oracle.parameter_shapes(**SIZES, layers=layers)
    shapes = {f"transformer.{name}": shape for name, shape in shapes.items()}
    state = oracle.random_state(shapes, seed)
    config = step.config(
        vocab_size=11,
        n_positions=7,
        n_embd=12,
        n_layer=layers,
        n_head=3,
        n_inner=5,
        layer_norm_epsilon=0.1,
    )
    module = build(step, "MaxGPT2LMHeadModel", config, state=state)

    def expected(ids, weights=state):
        return oracle.logits(ids, weights, layers, 3, 0.1)

    return module, state, expected


def ids(*shape, seed=130):
    return np.random.default_rng(seed).integers(0, 11, shape)


def call(x, layers=1):
    sizes = f"vocab_size=11, n_layer={layers}"
    return f"MaxGPT2LMHeadModel(config)(ids), ids {list(x.shape)}, {sizes}"


def test_parameters(step):
    """Its parameters are those of step 12 under transformer., and no others.

    The head has no weights of its own: it is tied to wte, the token embedding.
    """
    model(step)


def test_logits(step):
    """A token's logit is the dot product of the hidden state with its embedding.

    So there is one for every token of the vocabulary, at every position: the better a
    token's row of wte fits what the model expects, the higher its logit.
    """
    module, _, expected = model(step)
    x = ids(3, 7)
    expect_close(module(x), expected(x), call(x), tolerance=5e-5, axes=AXES)


def test_tied(step):
    """A new token embedding is a new head.

    A copy made when the model was built would keep the weights of that time.
    """
    module, state, expected = model(step, layers=0)
    x = ids(2, 3)
    asked = call(x, layers=0)
    expect_close(module(x), expected(x), asked, tolerance=5e-5, axes=AXES)
    state["transformer.wte.weight"] = state["transformer.wte.weight"][::-1] * 2
    module.load(state)
    expect_close(module(x), expected(x), asked, tolerance=5e-5, axes=AXES)


def test_causal(step):
    """A later token never changes an earlier token's logits.

    The head compares each position alone.
    """
    module, _, _ = model(step)
    x = np.array([[5, 0, 7, 2, 1], [5, 0, 7, 9, 10]])
    got = expect_tensor(module(x), [2, 5, 11], call(x))
    same = np.allclose(got[0, :3], got[1, :3], atol=1e-4)
    message = "Other tokens 3 and 4 gave other logits for tokens 0 to 2."
    require(same, message, call(x), got)


def test_own_weights(step):
    """Each module uses its own weights, and those that were loaded last.

    A program may hold several models. Nothing of one may stay behind in another, and
    nothing of a call in the module.
    """
    x = ids(2, 3)
    first, one, right = model(step, layers=0)
    second, two, _ = model(step, layers=0, seed=14)

    def expect(value, state, when):
        asked = f"{call(x, layers=0)}, {when}"
        expect_close(value, right(x, state), asked, tolerance=5e-5, axes=AXES)

    expect_own_weights(first, second, (one, two), expect, x)


def test_traces(step):
    """It also works while it is compiled, when batch and length are symbols.

    This is the model that will generate text.
    """
    model(step)[0].trace(("int64", ["batch", "seq"]))


if __name__ == "__main__":
    check_file(__file__)
