"""Checks step 13: the language-model head."""

import numpy as np
import oracle

from course.checks import build, expect_close, require

SIZES = {"vocab": 11, "positions": 7, "channels": 12, "layers": 1, "inner": 5}


def model(step, layers=1, seed=13, heads=3, eps=0.1):
    """The module, its weights, and the oracle's answer for any ids."""
    sizes = SIZES | {"layers": layers}
    state = {
        f"transformer.{name}": values
        for name, values in oracle.random_state(
            oracle.parameter_shapes(**sizes), seed
        ).items()
    }
    config = step.config(
        vocab_size=11,
        n_positions=7,
        n_embd=12,
        n_layer=layers,
        n_head=heads,
        n_inner=5,
        layer_norm_epsilon=eps,
    )
    module = build(step, "MaxGPT2LMHeadModel", config, state=state)
    return module, state, lambda ids: oracle.logits(ids, state, layers, heads, eps)


def ids(*shape, seed=130):
    return np.random.default_rng(seed).integers(0, 11, shape)


def call(x):
    return f"MaxGPT2LMHeadModel(config)(ids), ids {list(x.shape)}, vocab_size=11"


def test_parameters(step):
    """Its parameters are those of step 12 under transformer., and no others.

    The head has no weights of its own: it is tied to wte, the token embedding.
    """
    model(step)


def test_every_position(step):
    """There is one logit for every token of the vocabulary, at every position.

    Training uses all positions; generation will take the last one itself.
    """
    module, _, expected = model(step)
    x = ids(2, 5)
    expect_close(module(x), expected(x), call(x), tolerance=np.inf)


def test_logits(step):
    """A token's logit is the dot product of the hidden state with its embedding.

    The better a token's row of wte fits what the model expects, the higher its score.
    """
    module, _, expected = model(step, layers=2)
    x = ids(3, 7)
    expect_close(module(x), expected(x), call(x), tolerance=5e-5)


def test_tied(step):
    """A new token embedding is a new head.

    A copy made when the model was built would keep the weights of that time.
    """
    module, state, expected = model(step)
    x = ids(2, 3)
    expect_close(module(x), expected(x), call(x), tolerance=5e-5)
    state["transformer.wte.weight"] = state["transformer.wte.weight"][::-1] * 2
    module.load(state)
    expect_close(module(x), expected(x), call(x), tolerance=5e-5)


def test_causal(step):
    """A later token never changes an earlier token's logits.

    The head scores each position alone.
    """
    module, _, expected = model(step)
    x = ids(2, 4)
    before = expect_close(module(x), expected(x), call(x), tolerance=np.inf)
    x[:, 3] = (x[:, 3] + 1) % 11
    after = expect_close(module(x), expected(x), call(x), tolerance=np.inf)
    same = np.allclose(before[:, :3], after[:, :3], atol=1e-4)
    message = "Changing token 3 changed the logits of tokens 0 to 2."
    require(same, message, call(x), after)


def test_traces(step):
    """It also works while it is compiled, when batch and length are symbols.

    This is the model that will generate text.
    """
    model(step)[0].trace(("int64", ["batch", "seq"]))
