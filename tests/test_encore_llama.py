"""Checks the encore that turns GPT-2 into Llama."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from course.check_program import check_file
from course.checks import (
    CheckFailed,
    build,
    expect_close,
    expect_numbers,
    expect_own_weights,
    expect_tensor,
    kind_of,
    require,
)
from tests.oracle import llama as oracle
from tests.oracle.model import random_state
from tests.oracle.notes import Aside, note

GOLDEN = Path(__file__).parent / "golden"

# Six queries share three keys, or two, or have six: no two sizes are equal.
SIZES = oracle.Sizes(layers=1, heads=6, kv_heads=3, theta=50.0, eps=0.1)
CHANNELS, INNER, VOCABULARY, POSITIONS = 24, 14, 8, 9
PAIRED = "a head has D/2 pairs: channels i and i + D/2"


def numbers(*shape, seed=210):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def ids(*shape, seed=211):
    return np.random.default_rng(seed).integers(0, VOCABULARY, shape)


def tables(length, head_size, theta=SIZES.theta):
    """The right cosines and sines ``[T, D/2]``."""
    angle = oracle.angles(length, head_size, theta)
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def config(step, sizes=SIZES, *, tied=False, **more):
    """A LlamaConfig; the three new sizes are as in Hugging Face's config.json."""
    given = {
        "vocab_size": VOCABULARY,
        "n_positions": POSITIONS,
        "n_embd": CHANNELS,
        "n_inner": INNER,
        "n_layer": sizes.layers,
        "n_head": sizes.heads,
        "layer_norm_epsilon": sizes.eps,
        "n_kv_head": sizes.kv_heads,
        "rope_theta": sizes.theta,
        "tie_word_embeddings": tied,
    }
    return step.LlamaConfig(**given | more)


def norm(step, eps, channels=5):
    """Returns RMSNorm and its weights."""
    state = random_state({"weight": (channels,)}, seed=21)
    return build(step, "RMSNorm", channels, eps=eps, state=state), state


def attention(step, sizes=SIZES):
    """Returns LlamaAttention and its weights."""
    state = random_state(oracle.attention_shapes(CHANNELS, sizes), seed=22)
    return build(step, "LlamaAttention", config(step, sizes), state=state), state


def mlp(step):
    """Returns LlamaMLP and its weights."""
    state = random_state(oracle.mlp_shapes(CHANNELS, INNER), seed=23)
    return build(step, "LlamaMLP", config(step), state=state), state


def block(step):
    """Returns LlamaBlock and its weights."""
    state = random_state(oracle.block_shapes(CHANNELS, INNER, SIZES), seed=24)
    return build(step, "LlamaBlock", config(step), state=state), state


def model(step, sizes=SIZES, *, tied=False, seed=25):
    """Returns LlamaForCausalLM and its weights."""
    given = VOCABULARY, CHANNELS, INNER, sizes
    state = random_state(oracle.parameter_shapes(*given, tied=tied), seed)
    made = config(step, sizes, tied=tied)
    return build(step, "LlamaForCausalLM", made, state=state), state


def pair(value, call):
    """Requires two tables; returns them."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return value
    facts = [("called", call), ("yours", kind_of(value))]
    message = "The result is not a pair of the cosines and the sines."
    raise CheckFailed(message, facts, kind_of(value))


def test_rms_norm(step):
    """Each token's channels are divided by their root mean square, then rescaled.

    The mean itself stays in them: only their size is taken away.
    """
    for shape in [(2, 7, 5), (3, 5)]:
        module, state = norm(step, 1e-5)
        x = numbers(*shape) * 3 + 2
        expected = oracle.rms_norm(x.astype(float), state["weight"], 1e-5)
        call = f"RMSNorm(5, eps=1e-05)(x), x {list(shape)}"
        expect_close(module(x), expected, call)


def test_norm_begins_with_ones(step):
    """A new normalization changes only the size: its weight is 1.

    There is no bias, and eps is 1e-6 if nothing is said.
    """
    x = numbers(4, 5) * 0.001  # so small that the epsilon counts
    expected = oracle.rms_norm(x.astype(float), np.ones(5), 1e-6)
    module = step.RMSNorm(5)
    expect_close(module(x), expected, "RMSNorm(5)(x), x [4, 5], small numbers")
    names = sorted(module.parameter_shapes())
    message = f"Its parameters are {names}; there is only weight."
    require(names == ["weight"], message, "RMSNorm(5).parameters", names)


def test_epsilon_under_the_root(step):
    """Epsilon is added to the mean square, under the root.

    So a token of zeros stays zero instead of becoming NaN.
    """
    module, state = norm(step, 0.25)
    x = numbers(3, 5) * 0.4
    x[1] = 0
    expected = oracle.rms_norm(x.astype(float), state["weight"], 0.25)
    expect_close(module(x), expected, "RMSNorm(5, eps=0.25)(x), x [3, 5]")


def test_tables(step):
    """At position p, pair i has the angle p · theta ** (-2i / D).

    The first pair turns fast, the last one slowly. The tables hold cosine and sine.
    """
    for length, size, theta in [(7, 6, 100.0), (4, 8, 10_000.0), (3, 2, 10.0)]:
        call = f"rotary_tables({length}, {size}, {theta})"
        right = tables(length, size, theta)
        found = pair(step.rotary_tables(length, size, theta), call)
        for name, yours, table in zip(("cosines", "sines"), found, right, strict=True):
            asked = f"the {name} of {call}"
            expect_numbers(yours, table, asked, axes="position pair")


def test_rotate(step):
    """Channels i and i + D/2 are a pair, and each pair is turned by its angle.

    The two new coordinates stand where the old ones stood.
    """
    for shape in [(2, 3, 5, 6), (7, 4)]:
        x = numbers(*shape)
        cos, sin = tables(*shape[-2:])
        expected = oracle.rotated(
            x.astype(float), oracle.angles(*shape[-2:], SIZES.theta)
        )
        half = shape[-1] // 2
        note("the first halves times the cosine", x[..., :half] * cos)
        call = f"rotate(x, cos, sin), x {list(shape)}; {PAIRED}"
        expect_close(step.rotate(x, cos, sin), expected, call)


def test_only_the_distance_counts(step):
    """A turned query's product with a turned key depends on their distance alone.

    So attention sees how far back a token is, and not where the text began.
    """
    query, key = (np.repeat(numbers(1, 6, seed=seed), 9, axis=0) for seed in (1, 2))
    cos, sin = tables(9, 6)
    call = "rotate(x, cos, sin) of one query and one key at nine positions"
    turned = [
        expect_tensor(step.rotate(x, cos, sin), [9, 6], call) for x in (query, key)
    ]
    scores = turned[0] @ turned[1].T
    same = all(np.ptp(np.diagonal(scores, -far)) < 1e-4 for far in range(8))
    message = "Query and key at equal distances have different products."
    require(same, message, call, scores)


def test_repeat_heads(step):
    """Each key and value head is repeated in its place: 0 0 0 1 1 1.

    Query heads that follow each other share a key. Of one copy nothing changes.
    """
    for times in (3, 1, 2):
        x = numbers(2, 4, 5, 3, seed=times)
        expected = x[:, np.arange(4 * times) // times]
        note(
            Aside("all heads, one row of them after the other"),
            np.tile(x, (1, times, 1, 1)),
        )
        call = f"repeat_heads(x, {times}), x [2, 4, 5, 3]"
        expect_close(step.repeat_heads(x, times), expected, call)


def test_attention(step):
    """Rotated queries meet rotated keys, and each key has H / G query heads.

    Values are not turned. Otherwise it is step 09, without biases.
    """
    x = numbers(2, 5, CHANNELS)
    for groups in (3, 1):
        sizes = replace(SIZES, kv_heads=groups)
        module, state = attention(step, sizes)
        call = f"LlamaAttention(config)(x, cos, sin), x [2, 5, 24], n_kv_head={groups}"
        expected = oracle.attention(x.astype(float), state, sizes)
        result = module(x, *tables(5, CHANNELS // SIZES.heads))
        expect_close(result, expected, call, tolerance=5e-5)


def test_attention_uses_the_angles_given(step):
    """The angles come from the caller: the same tokens may stand elsewhere.

    That is how a cache goes on after earlier tokens.
    """
    module, state = attention(step)
    x = numbers(2, 4, CHANNELS)
    sizes = replace(SIZES, theta=3.0)
    expected = oracle.attention(x.astype(float), state, sizes)
    call = "LlamaAttention(config)(x, cos, sin), cos and sin of another theta"
    result = module(x, *tables(4, CHANNELS // SIZES.heads, 3.0))
    expect_close(result, expected, call, tolerance=5e-5)


def test_mlp(step):
    """The result is down(SiLU(gate(x)) · up(x)), and SiLU(g) is g times its sigmoid.

    One layer says what passes, the other how much of it.
    """
    module, state = mlp(step)
    for shape in [(2, 5, CHANNELS), (3, CHANNELS)]:
        x = numbers(*shape)
        expected = oracle.mlp(x.astype(float), state)
        call = f"LlamaMLP(config)(x), x {list(shape)}"
        expect_close(module(x), expected, call, tolerance=5e-5)


def test_block(step):
    """A block adds attention's result and then the MLP's, each of a normalized x.

    The norms use the configuration's epsilon; the attention gets cos and sin.
    """
    module, state = block(step)
    x = numbers(2, 5, CHANNELS) * 0.4
    call = f"LlamaBlock(config)(x, cos, sin), x [2, 5, 24], epsilon {SIZES.eps}"
    expected = oracle.block(x.astype(float), state, SIZES)
    result = module(x, *tables(5, CHANNELS // SIZES.heads))
    expect_close(result, expected, call, tolerance=5e-5)


def test_parameters(step):
    """The parameters have the names and shapes of Hugging Face's checkpoints.

    A tied head has none of its own, and no table of cosines is learned.
    """
    model(step, replace(SIZES, layers=2))
    model(step, tied=True)


def test_logits(step):
    """The model's tokens stand at positions 0 to T - 1, and every layer turns them.

    Nothing is added to the embeddings. The head is a layer of its own.
    """
    sizes = replace(SIZES, layers=2)
    module, state = model(step, sizes)
    for shape in [(2, POSITIONS), (3, 4)]:
        x = ids(*shape)
        call = f"LlamaForCausalLM(config)(ids), ids {list(shape)}, n_layer=2"
        expected = oracle.logits(x, state, sizes)
        axes = "text token logit"
        expect_close(module(x), expected, call, tolerance=1e-4, axes=axes)


def test_tied(step):
    """A tied head is the token embedding, also after other weights are loaded.

    ``tie_word_embeddings`` says which of the two heads a checkpoint has.
    """
    module, state = model(step, replace(SIZES, layers=0), tied=True)
    x, sizes = ids(2, 3), replace(SIZES, layers=0)
    call = "LlamaForCausalLM(config)(ids), tie_word_embeddings=True, n_layer=0"
    axes = "text token logit"
    expect_close(module(x), oracle.logits(x, state, sizes), call, axes=axes)
    name = "model.embed_tokens.weight"
    state[name] = state[name][::-1] * 2
    module.load(state)
    expected = oracle.logits(x, state, sizes)
    expect_close(module(x), expected, call, tolerance=5e-5, axes=axes)


def test_causal(step):
    """A later token never changes an earlier token's logits.

    Turning a key does not let it look ahead.
    """
    module, _ = model(step)
    x = np.array([[5, 0, 7, 2, 1], [5, 0, 7, 6, 3]])
    call = "LlamaForCausalLM(config)(ids), ids [2, 5]"
    got = expect_tensor(module(x), [2, 5, VOCABULARY], call)
    same = np.allclose(got[0, :3], got[1, :3], atol=1e-4)
    message = "Other tokens 3 and 4 gave other logits for tokens 0 to 2."
    require(same, message, call, got)


def test_own_weights(step):
    """Each model uses its own weights, and those that were loaded last.

    Nothing of a call may stay in the module, and nothing of another model.
    """
    sizes = replace(SIZES, layers=0)
    first, one = model(step, sizes)
    second, two = model(step, sizes, seed=26)
    x = ids(2, 3)

    def expect(value, state, when):
        call = f"LlamaForCausalLM(config)(ids), ids [2, 3], {when}"
        expected = oracle.logits(x, state, sizes)
        axes = "text token logit"
        expect_close(value, expected, call, tolerance=1e-4, axes=axes)

    expect_own_weights(first, second, (one, two), expect, x)


@cache
def golden(name):
    """A checkpoint that transformers made, its ids, and the logits of transformers."""
    folder = GOLDEN / name
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = load_file(folder / "model.safetensors")
    return settings, weights, np.load(folder.with_suffix(".npz"))


def test_same_as_transformers(step):
    """A checkpoint of Hugging Face's format gives the logits of its own program.

    One has a head of its own; the other is tied, and its keys serve all queries.
    """
    for name in ("llama", "llama-tied"):
        settings, weights, known = golden(name)
        made = step.LlamaConfig(
            vocab_size=settings["vocab_size"],
            n_positions=settings["max_position_embeddings"],
            n_embd=settings["hidden_size"],
            n_layer=settings["num_hidden_layers"],
            n_head=settings["num_attention_heads"],
            n_inner=settings["intermediate_size"],
            layer_norm_epsilon=settings["rms_norm_eps"],
            n_kv_head=settings["num_key_value_heads"],
            rope_theta=settings["rope_parameters"]["rope_theta"],
            tie_word_embeddings=settings["tie_word_embeddings"],
        )
        module = build(step, "LlamaForCausalLM", made, state=weights)
        x = known["prompt_2"][None]
        call = (
            f"LlamaForCausalLM(config)(ids) of tests/golden/{name}, ids [1, {x.size}]"
        )
        expected = known["logits"][None].astype(float)
        axes = "text token logit"
        expect_close(module(x), expected, call, tolerance=2e-4, axes=axes)


def test_traces(step):
    """It also works while it is compiled, when batch and length are symbols.

    The tables have a row for every position, so the length need not be known.
    """
    module, _ = model(step)
    module.trace(("int64", ["batch", "seq"]))


if __name__ == "__main__":
    check_file(__file__)
