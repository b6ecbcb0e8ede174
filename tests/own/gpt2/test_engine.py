"""Compares the engines with Hugging Face's results, the oracle and each other.

One tiny model serves every test: a compile costs about a minute on a fresh machine.
"""

import ctypes
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from max.driver import accelerator_count

from gpt2.checkpoint.configuration import read_config
from gpt2.checkpoint.safetensors_files import read_weights
from gpt2.checkpoint.weights import convert_weights
from gpt2.decoding.beams import Continuations
from gpt2.decoding.generation import Strategy, generate_batch
from gpt2.decoding.speculation import Speculation
from gpt2.engine.engines import Engine, RecomputingEngine
from solutions.encore_beam_search import beam_search
from solutions.solution_13 import MaxGPT2LMHeadModel
from tests.oracle import model as oracle

FOLDER = Path(__file__).parents[2] / "golden" / "odd"
CONFIG = read_config(FOLDER / "config.json")
WEIGHTS = convert_weights(read_weights(FOLDER), CONFIG)
GOLDEN = np.load(FOLDER.with_suffix(".npz"))
FULL = CONFIG.n_positions
ROWS = 5
BATCH = np.random.default_rng(0).integers(0, CONFIG.vocab_size, [ROWS, FULL])
NEAR = dict(rtol=0, atol=1e-4)
MATVEC = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 2)


@pytest.fixture(scope="module")
def cached():
    return Engine(CONFIG, WEIGHTS)


@pytest.fixture(scope="module")
def recomputing():
    return RecomputingEngine(CONFIG, WEIGHTS, MaxGPT2LMHeadModel)


@pytest.fixture(scope="module")
def accelerated():
    if accelerator_count() == 0:
        pytest.skip("MAX finds no accelerator on this machine")
    return Engine(CONFIG, WEIGHTS, device="gpu")


@pytest.fixture(scope="module", params=["cached", "recomputing", "accelerated"])
def engine(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def expected():
    """Returns the batch's logits at every position, ``[ROWS, n_positions, V]``."""
    return oracle.logits(BATCH, WEIGHTS, CONFIG.n_layer, CONFIG.n_head)


def as_array(address, shape):
    """Returns the float32 numbers at an address."""
    place = ctypes.cast(address, ctypes.POINTER(ctypes.c_float))
    return np.ctypeslib.as_array(place, shape)


def greedy(engine, prompt, count):
    """Returns the greedy ids that follow a prompt."""
    ids = [engine.prefill(prompt[None]).argmax(axis=-1)]
    while len(ids) < count:
        ids.append(engine.decode(ids[-1]).argmax(axis=-1))
    return np.concatenate(ids)


@pytest.mark.parametrize("number", range(3))
def test_greedy_ids_are_hugging_faces(engine, number):
    new = GOLDEN[f"greedy_{number}"]
    found = greedy(engine, GOLDEN[f"prompt_{number}"], len(new))
    np.testing.assert_array_equal(found, new)


def test_logits_are_hugging_faces(engine):
    last = engine.prefill(GOLDEN["prompt_2"][None])
    np.testing.assert_allclose(last[0], GOLDEN["logits"][-1], **NEAR)


def test_the_cache_is_on_the_accelerator(accelerated):
    accelerated.prefill(BATCH[:, :3])
    assert not any(buffer.is_host for buffer in accelerated._cache.past())


@pytest.mark.parametrize("prefilled", [1, 7, FULL - 1])
def test_tokens_one_by_one_to_the_end_of_the_context(cached, expected, prefilled):
    found = [cached.prefill(BATCH[:, :prefilled])]
    found += [cached.decode(BATCH[:, place]) for place in range(prefilled, FULL)]
    want = expected[:, prefilled - 1 :]
    np.testing.assert_allclose(np.stack(found, axis=1), want, **NEAR)


def test_both_engines_agree(cached, recomputing):
    for engine in (cached, recomputing):
        engine.prefill(BATCH[:, :5])
    for place in range(5, 12):
        ids = BATCH[:, place]
        np.testing.assert_allclose(cached.decode(ids), recomputing.decode(ids), **NEAR)


@pytest.mark.parametrize("cuts", [[1, 2, 30], [11, 12, 40], [FULL - 1, FULL]])
def test_a_text_may_come_in_pieces(cached, expected, cuts):
    cached.prefill(BATCH[:, : cuts[0]])
    for start, end in pairwise(cuts):
        found = cached.extend(cached._cache, BATCH[:, start:end])
        np.testing.assert_allclose(found, expected[:, end - 1], **NEAR)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_logits_of_several_tokens(engine, expected, count):
    first = engine.continue_from(0, BATCH[:, :7], count)
    np.testing.assert_allclose(first, expected[:, 7 - count : 7], **NEAR)
    more = engine.continue_from(7, BATCH[:, 7:16], count)
    np.testing.assert_allclose(more, expected[:, 16 - count : 16], **NEAR)
    np.testing.assert_allclose(engine.decode(BATCH[:, 16]), expected[:, 16], **NEAR)


@pytest.mark.parametrize("kept", [1, 5, 11, 12])
def test_tokens_are_taken_back(engine, expected, kept):
    wrong = (BATCH[:, :12] + 1) % CONFIG.vocab_size
    wrong[:, :kept] = BATCH[:, :kept]
    engine.prefill(wrong)
    found = engine.continue_from(kept, BATCH[:, kept:15], 15 - kept)
    np.testing.assert_allclose(found, expected[:, kept:15], **NEAR)
    np.testing.assert_allclose(engine.decode(BATCH[:, 15]), expected[:, 15], **NEAR)


def test_the_last_tokens_are_taken_back_at_the_end_of_the_context(engine, expected):
    engine.prefill(BATCH)
    found = engine.continue_from(FULL - 3, BATCH[:, FULL - 3 :], 2)
    np.testing.assert_allclose(found, expected[:, FULL - 2 :], **NEAR)


@pytest.mark.parametrize("tokens", [1, 4])
def test_greedy_ids_with_a_draft(engine, tokens):
    prompt, new = GOLDEN["prompt_0"], GOLDEN["greedy_0"]
    size, rng = CONFIG.vocab_size, np.random.default_rng(0)
    speculation = Speculation(engine, None, size, tokens)
    limits = dict(max_new_tokens=len(new), end_ids=())
    steps = speculation.steps(prompt.tolist(), Strategy(temperature=0), rng, **limits)
    assert [step.id for step in steps] == new.tolist()


def test_a_prefill_forgets_the_text_before(engine, expected):
    engine.prefill(BATCH[1:, :60])
    found = engine.prefill(BATCH[:1, :4])
    np.testing.assert_allclose(found, expected[:1, 3], **NEAR)


def test_results_and_ids_are_the_callers_own(engine):
    ids, token = BATCH[:, :4].copy(), BATCH[:, 4].copy()
    first = engine.prefill(ids)
    kept = first.copy()
    engine.decode(token)
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(ids, BATCH[:, :4])
    assert first.dtype == np.float32
    assert first.shape == (ROWS, CONFIG.vocab_size)


def test_too_many_tokens(engine):
    with pytest.raises(ValueError, match="81 tokens are more than the 80"):
        engine.prefill(np.zeros([1, FULL + 1], dtype=np.int64))
    engine.prefill(BATCH)
    with pytest.raises(ValueError, match="81 tokens are more than the 80"):
        engine.decode(BATCH[:, 0])


@pytest.mark.parametrize("bad", [-1, CONFIG.vocab_size])
def test_ids_outside_the_vocabulary(engine, bad):
    with pytest.raises(ValueError, match="from 0 to 210"):
        engine.prefill(np.array([[3, bad]]))


@pytest.mark.parametrize("shape", [[1, 0], [0, 3], [4]])
def test_no_text(engine, shape):
    with pytest.raises(ValueError, match="no text"):
        engine.prefill(np.zeros(shape, dtype=np.int64))


@pytest.mark.parametrize("rows", [1, ROWS])
def test_a_function_of_ones_own_multiplies_one_row(rows):
    """It is called for each linear layer and for the head, and never for many rows."""
    sizes = []

    @MATVEC
    def multiply(y, x, w, outs, k):
        sizes.append((outs, k))
        row, weights = as_array(x, [k]), as_array(w, [outs, k])
        as_array(y, [outs])[:] = weights @ row

    address = ctypes.cast(multiply, ctypes.c_void_p).value
    engine = Engine(CONFIG, WEIGHTS, matvec=address)
    engine.prefill(BATCH[:rows, :4])
    head, sizes[:] = sizes.copy(), []
    found = engine.decode(BATCH[:rows, 4])
    want = oracle.logits(BATCH[:rows, :5], WEIGHTS, CONFIG.n_layer, CONFIG.n_head)
    np.testing.assert_allclose(found, want[:, 4], **NEAR)
    size, inner = CONFIG.n_embd, CONFIG.n_inner
    layer = [(3 * size, size), (size, size), (inner, size), (size, inner)]
    last = [(CONFIG.vocab_size, size)]
    assert sizes == (layer * CONFIG.n_layer + last if rows == 1 else [])
    # The last layer's end and the head have one row in a prefill of one text, too.
    assert head == (layer[1:] + last if rows == 1 else [])


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_a_function_of_ones_own_multiplies_float32_only(precision):
    with pytest.raises(ValueError, match="multiplies float32 weights only"):
        Engine(CONFIG, dict(WEIGHTS), precision=precision, matvec=1)


def test_another_batch(engine):
    engine.prefill(BATCH[:, :3])
    with pytest.raises(ValueError, match="no text of 2 rows"):
        engine.decode(BATCH[:2, 3])


def test_unknown_devices():
    with pytest.raises(ValueError, match="no device 'tpu' here, only cpu, gpu"):
        Engine(CONFIG, WEIGHTS, device="tpu")
    with pytest.raises(ValueError, match="no device 'tpu' here, only cpu, gpu"):
        RecomputingEngine(CONFIG, WEIGHTS, MaxGPT2LMHeadModel, device="tpu")


@pytest.mark.parametrize("rows", [[2, 0, 1], [0, 0, 2], [1], [1, 1, 0, 2, 1]])
def test_selected_rows_go_on(engine, expected, rows):
    engine.prefill(BATCH[:, :4])
    engine.select(rows)
    for place in range(4, 7):
        found = engine.decode(BATCH[rows, place])
        np.testing.assert_allclose(found, expected[rows, place], **NEAR)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_beams_in_a_batch_find_what_the_oracle_finds(engine, penalty):
    def logits(ids):
        return oracle.logits(ids, WEIGHTS, CONFIG.n_layer, CONFIG.n_head)[:, -1]

    prompt, end = BATCH[0, :5], int(GOLDEN["greedy_0"][3])
    settings = dict(num_beams=4, max_new_tokens=12, eos_token_id=end)
    settings["length_penalty"] = penalty
    ids, score = beam_search(Continuations(engine), prompt, **settings)
    want, best = beam_search(logits, prompt, **settings)
    assert ids == want
    assert score == pytest.approx(best, abs=1e-4)


def test_samples_are_the_same_alone_and_in_a_batch(engine):
    def write(number):
        texts = [[] for _ in range(number)]
        rngs = np.random.default_rng(5).spawn(number)
        limits = dict(max_new_tokens=9, end_ids=())
        steps = generate_batch(engine, BATCH[0, :5], Strategy(), rngs, **limits)
        for row, step in steps:
            texts[row].append(step.id)
        return texts

    assert write(1) == write(4)[:1]
