"""Checks the encore on the KV cache."""

import numpy as np

from course.check_program import check_file
from course.checks import (
    CheckFailed,
    build,
    expect_close,
    expect_tensor,
    kind_of,
    require,
)
from tests import cache_calls
from tests.oracle import cache as oracle_cache
from tests.oracle import model as oracle

SIZES = {"vocab": 11, "positions": 9, "channels": 10, "inner": 7}
HEADS, EPS = 2, 0.1

# The likeliest token after 0 is 3, after 3 it is 1, and so on.
FOLLOWS = {0: 3, 3: 1, 1: 4, 4: 2, 2: 0}


def numbers(*shape, seed=170):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def ids(*shape, seed=171):
    return np.random.default_rng(seed).integers(0, SIZES["vocab"], shape)


def attention(step, channels=12, heads=3):
    """Returns CachedAttention and its weights."""
    state = oracle.random_state(oracle.attention_shapes(channels), seed=17)
    config = step.config(n_embd=channels, n_head=heads)
    return build(step, "CachedAttention", config, state=state), state


def block(step, eps=1e-5):
    """Returns CachedBlock and its weights."""
    state = oracle.random_state(oracle.block_shapes(12, 7), seed=18)
    config = step.config(n_embd=12, n_head=3, n_inner=7, layer_norm_epsilon=eps)
    return build(step, "CachedBlock", config, state=state), state


def model(step, *silent, layers=1, seed=19):
    """Returns CachedGPT2LMHeadModel and its weights; layers named ``silent`` give 0."""
    shapes = oracle.parameter_shapes(**SIZES, layers=layers)
    shapes = {f"transformer.{name}": shape for name, shape in shapes.items()}
    state = oracle.random_state(shapes, seed)
    for name in state:
        if silent and name.rpartition(".")[0].endswith(silent):
            state[name][:] = 0
    config = step.config(
        vocab_size=SIZES["vocab"],
        n_positions=SIZES["positions"],
        n_embd=SIZES["channels"],
        n_layer=layers,
        n_head=HEADS,
        n_inner=SIZES["inner"],
        layer_norm_epsilon=EPS,
    )
    return build(step, "CachedGPT2LMHeadModel", config, state=state), state


def logits(x, state, layers=1):
    return oracle.logits(x, state, layers, HEADS, EPS)


def cache_of(x, state, layers=1):
    """The cache after ids ``[B, T]``: key, value, key, value and so on."""
    memories = oracle_cache.cache(x, state, layers, HEADS, EPS)
    return [part.astype(np.float32) for memory in memories for part in memory]


def two(value, what, call):
    """Requires a pair, such as the numbers and the memory; returns the pair."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return value
    facts = [("called", call), ("expected", what), ("yours", kind_of(value))]
    message = f"The result is not a pair: {what}. A pair is a tuple or a NamedTuple."
    raise CheckFailed(message, facts, kind_of(value))


def result_and_memory(value, call):
    """Requires the pairs of attention or a block; returns result, key and value."""
    result, memory = two(value, "the numbers, and (key, value)", call)
    return result, *two(memory, "a key, and a value", call)


def listed(cache, layers, call):
    """Requires a list with one entry for each layer; returns the list."""
    if isinstance(cache, tuple | list) and len(cache) == layers:
        return cache
    facts = [("called", call), ("expected", f"a list of {layers} pairs")]
    message = "The cache does not have a key and a value for every layer."
    raise CheckFailed(message, [*facts, ("yours", kind_of(cache))], kind_of(cache))


def expect_kept(got, earlier, call):
    """Requires that the earlier entries come first and are unchanged, bit for bit."""
    kept = np.array_equal(got[:, :, : earlier.shape[2]], earlier)
    message = "What the cache held of earlier tokens is not what it holds now."
    require(kept, message, call, got)


def called(name, new, earlier, argument="x"):
    """The report's name for a call with a memory of some tokens."""
    memory = f"a memory of {earlier} tokens" if earlier else "None"
    return f"{name}({argument}, {memory}), {argument} {list(new.shape)}"


def test_attention_with_context(step):
    """Each new token gathers from all tokens up to itself, from earlier ones too.

    Earlier tokens have keys and values but no queries: their results are known.
    """
    for earlier, new in [(0, 4), (4, 1), (2, 3)]:
        shapes = [2, 3, new, 5], [2, 3, earlier + new, 5]
        query, key = (numbers(*shape, seed=7) for shape in shapes)
        value = numbers(*shapes[1], seed=8)
        call = f"attend_with_context(query, key, value), {shapes[0]} and {shapes[1]}"
        got = step.attend_with_context(query, key, value)
        expect_close(got, oracle_cache.attention(query, key, value), call)


def test_without_a_past(step):
    """Without a past it is step 09, and returns the keys and values as well.

    They are split into heads, [B, H, T, D]: that is how attention wants them again.
    """
    module, state = attention(step)
    for x in (numbers(2, 5, 12), numbers(1, 2, 12)):  # two texts: nothing is left over
        call = called("CachedAttention(config)", x, 0)
        result, *memory = result_and_memory(module(x, None), call)
        expect_close(result, oracle.multi_head_attention(x, state, 3), call)
        expected = oracle_cache.memory(x, state, 3)
        for name, yours, right in zip(("key", "value"), memory, expected, strict=True):
            expect_close(yours, right, f"{call}: the {name} it returns")


def test_past_is_read(step):
    """The earlier tokens are there as keys and values alone, and these are used.

    This attention has never seen the tokens themselves.
    """
    module, state = attention(step)
    x = numbers(2, 7, 12)
    past = oracle_cache.memory(x[:, :5], state, 3)
    past = [part.astype(np.float32) for part in past]
    call = called("CachedAttention(config)", x[:, 5:], 5)
    value = step.hold(cache_calls.with_past)(module, x[:, 5:], *past)
    result, *_ = result_and_memory(value, call)
    expect_close(result, oracle.multi_head_attention(x, state, 3)[:, 5:], call)


def test_memory_grows(step):
    """The memory comes back with the new tokens behind the earlier ones.

    What it held before is handed on bit for bit: no key or value is made twice.
    """
    module, state = attention(step)
    x = numbers(2, 2, 12)
    past = [numbers(2, 3, 5, 4, seed=seed) for seed in (1, 2)]
    call = called("CachedAttention(config)", x, 5)
    value = step.hold(cache_calls.with_past)(module, x, *past)
    _, *memory = result_and_memory(value, call)
    new = oracle_cache.memory(x, state, 3)
    for i, name in enumerate(("key", "value")):
        asked = f"{call}: the {name} it returns"
        got = expect_tensor(memory[i], [2, 3, 7, 4], asked)
        expect_kept(got, past[i], asked)
        expect_close(memory[i], np.concatenate([past[i], new[i]], axis=2), asked)


def test_parameters(step):
    """Block and model have the checkpoint's parameters, and no others.

    A cache is not learned: the weights are loaded as into steps 11 and 13.
    """
    block(step)
    model(step, layers=2)


def test_block(step):
    """The block is step 11, also where a text comes in several parts.

    Only attention needs a memory; everything else treats each token alone.
    """
    module, state = block(step)
    x = numbers(2, 6, 12)
    call = "CachedBlock(config) called with x [2, 4, 12] and then with x [2, 2, 12]"
    results, _ = step.hold(cache_calls.in_parts)(module, x[:, :4], x[:, 4:])
    first = oracle.block(x[:, :4], state, 3, 1e-5)
    expect_close(results[0], first, f"{call}, the first", tolerance=5e-5)
    second = oracle.block(x, state, 3, 1e-5)[:, 4:]
    expect_close(results[1], second, f"{call}, the second", tolerance=5e-5)


def test_epsilon(step):
    """Both normalizations use the configuration's layer_norm_epsilon, as in step 11.

    With small numbers it matters: then it is most of what stands under the root.
    """
    module, state = block(step, eps=0.25)
    x = numbers(2, 4, 12) * 0.3
    expected = oracle.block(x, state, 3, 0.25)
    call = "CachedBlock(config)(x [2, 4, 12]), layer_norm_epsilon=0.25"
    expect_close(module(x)[0], expected, call, tolerance=5e-5)


def test_positions(step):
    """The positions of new tokens go on where the cache ends.

    Where the blocks give 0, the result depends on tokens and positions alone.
    """
    module, state = model(step, "c_proj")
    x = ids(3, 9)  # up to the last of n_positions
    past = cache_of(x[:, :6], state)
    call = called("CachedGPT2LMHeadModel(config)", x[:, 6:], 6, "ids")
    value = step.hold(cache_calls.with_cache)(module, x[:, 6:], *past)
    result, _ = two(value, "the logits, and the cache", call)
    expect_close(result, logits(x, state)[:, 6:], call, tolerance=5e-5)


def test_layers(step):
    """Every layer has its own place in the cache, in the order of the layers.

    A layer's keys say something about its own input; no other layer can use them.
    """
    module, state = model(step, layers=2)
    x = ids(3, 5)
    past = cache_of(x[:, :4], state, 2)
    call = called("CachedGPT2LMHeadModel(config)", x[:, 4:], 4, "ids") + ", n_layer=2"
    value = step.hold(cache_calls.with_cache)(module, x[:, 4:], *past)
    result, cache = two(value, "the logits, and the cache", call)
    expect_close(result, logits(x, state, 2)[:, 4:], call, tolerance=5e-5)
    right = cache_of(x, state, 2)
    for layer, memory in enumerate(listed(cache, 2, call)):
        for i, part in enumerate(two(memory, "a key, and a value", call)):
            asked = f"{call}: layer {layer}'s {('key', 'value')[i]} in the new cache"
            got = expect_tensor(part, list(right[2 * layer + i].shape), asked)
            expect_kept(got, past[2 * layer + i], asked)
            expect_close(part, right[2 * layer + i], asked, tolerance=5e-5)


def test_same_logits(step):
    """In parts or at once: the same text has the same logits.

    First a prompt, then several tokens, then one by one, in a batch of three texts.
    """
    module, state = model(step, seed=21)
    x = ids(3, 9)
    expected = logits(x, state)
    bounds = [(0, 4), (4, 7), (7, 8), (8, 9)]
    call = "CachedGPT2LMHeadModel(config) called with 4, 3, 1 and 1 tokens"
    parts = [x[:, start:stop] for start, stop in bounds]
    results, _ = step.hold(cache_calls.in_parts)(module, *parts)
    for (start, stop), result in zip(bounds, results, strict=True):
        asked = f"{call}, from token {start}"
        expect_close(result, expected[:, start:stop], asked, tolerance=5e-5)


def test_one_cache_for_two_texts(step):
    """A cache that was passed in stays as it was, so that it can be used again.

    One prompt may be continued in several ways, and is read only once.
    """
    module, state = model(step)
    prompt, first, second = ids(2, 4), ids(2, 2, seed=5), ids(2, 1, seed=6)
    continued = step.hold(cache_calls.continued)
    results = continued(module, prompt, first, second)
    news, names = (first, second), ("first", "second")
    for new, result, name in zip(news, results, names, strict=True):
        whole = np.concatenate([prompt, new], axis=1)
        call = f"the {name} of two calls model(ids, cache) with the same cache"
        expect_close(result, logits(whole, state)[:, 4:], call, tolerance=5e-5)


def write(step, prompt, **options):
    """The text of generate_with_cache, and its calls of the model."""
    table = np.random.default_rng(14).normal(0, 0.3, (5, 5)).astype(np.float32)
    for token, follower in FOLLOWS.items():
        table[token, follower] = 1.5
    held = step.hold(cache_calls.CachedTableModel(table))
    value = step.generate_with_cache(held, np.array(prompt), **options)
    return value, held.get("seen")


def asked_to_write(prompt, **options):
    options = "".join(f", {k}={v}" for k, v in options.items())
    return f"generate_with_cache(model, ids {list(np.shape(prompt))}{options})"


def test_text(step):
    """A text is the prompt and then, one by one, the likeliest tokens.

    Ten of them if nothing is said, none for 0.
    """
    turn = [2, 0, 3, 1, 4] * 3
    three = [turn[:13], turn[2:15], turn[1:14]]
    for prompt, options, rows in [
        ([row[:2] for row in three], {"max_new_tokens": 11}, three),
        ([[4]], {}, [[4, *turn[:10]]]),
        ([[4, 0, 2]], {"max_new_tokens": 0}, [[4, 0, 2]]),
    ]:
        value, _ = write(step, prompt, **options)
        call = asked_to_write(prompt, **options)
        expect_close(value, np.array(rows), call, dtype="int64", axes="text token")


def test_one_token_per_call(step):
    """The model reads the prompt in one call, and then each new token once.

    And it gets the cache of the call before, with all the tokens until then.
    """
    prompt = [[2, 0, 3], [4, 2, 0]]
    call = asked_to_write(prompt, max_new_tokens=4)
    _, seen = write(step, prompt, max_new_tokens=4)
    sizes = [len(rows[0]) for _, rows in seen]
    message = f"The calls saw {sizes} tokens; the prompt has 3, and then it is 1 each."
    require(sizes[:4] == [3, 1, 1, 1] and len(sizes) <= 5, message, call, seen)
    held = [earlier for earlier, _ in seen]
    message = f"The cache held {held} tokens; it has to be 0, then 3, 4, 5."
    require(held[:4] == [0, 3, 4, 5], message, call, seen)
    right = [[[1], [3]], [[4], [1]], [[2], [4]]]
    for number, (_, rows), newest in zip((2, 3, 4), seen[1:], right, strict=False):
        message = (
            f"Call {number} saw {rows}; the newest tokens of the texts are {newest}."
        )
        require(rows == newest, message, call, seen)


def test_traces(step):
    """It also works while a model is compiled, when B and T are symbols.

    The length of the cache is a number even then: step 02's mask wants it as one.
    """
    module, _ = model(step)
    module.trace(("int64", ["batch", "seq"]))
    memory = ("float32", ["batch", HEADS, 4, 5])
    module.trace(
        ("int64", ["batch", "seq"]), memory, memory, through=cache_calls.with_cache
    )


if __name__ == "__main__":
    check_file(__file__)
