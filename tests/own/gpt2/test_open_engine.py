"""``--mine`` runs a learner's model, or names the missing step."""

from functools import partial

import numpy as np
import pytest

from course.commands import typed
from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.engine import engines
from gpt2.learner import own_model
from gpt2.learner.borrowing import borrow
from gpt2.learner.eager_engine import CachedEagerEngine, EagerEngine
from gpt2.learner.own_model import KV_CACHE
from gpt2.learner.step_errors import LearnerError, blame_steps
from gpt2.open_engine import NoAcceleratorError, open_engine
from tests.oracle import model as oracle
from tests.own.gpt2.samples import POSITIONS

MODEL = """
from max.experimental.nn import Linear, Module
class MaxGPT2LMHeadModel(Module):
    def __init__(self, config):
        {init}
    def forward(self, input_ids):
        {forward}
"""


def model(init: str = "pass", forward: str = "pass") -> str:
    """Returns a step 13 with two given lines."""
    return MODEL.format(init=init, forward=forward)


def open_mine(folder, desk, *, note=lambda _: None, **options):
    """Opens the tiny checkpoint with the model in a learner's folder."""
    checkpoint = load_checkpoint(str(folder))
    mine = borrow(desk, strict=True)
    options = {"cache": True} | options
    return open_engine(checkpoint, mine=mine, on_compile=note, **options)


def sentence(folder, desk, *, cache=False):
    """Returns the one-line message for the learner, with the folder as ``steps``."""
    with pytest.raises(LearnerError) as caught, blame_steps():
        open_mine(folder, desk, cache=cache).prefill(np.array([[1, 2]]))
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f" --steps-dir {desk}", "").replace(f"{desk}", "steps")


def test_the_learners_own_model_and_config_are_used(steps, folder, monkeypatch):
    desk = steps(step_13=model())
    monkeypatch.setattr(own_model, "EagerEngine", lambda *given: given)
    config, weights, model_class = open_mine(folder, desk)
    assert config.__module__ == "steps.step_01"
    assert config.n_positions == POSITIONS
    assert model_class.__module__ == "steps.step_13"
    assert "transformer.wte.weight" in weights


UNFINISHED = "raise NotImplementedError('Create transformer.')"


@pytest.mark.parametrize("line", ["self.transformer = ", "hidden = "])
def test_unfinished_step_is_named(steps, folder, line):
    desk = steps()
    last = desk / "step_13.py"
    last.write_text(last.read_text().replace(line, f"{UNFINISHED}; {line}"))
    assert sentence(folder, desk) == (
        "steps/step_13.py is not finished: Create transformer. "
        f"(check it with: {typed('s13')})"
    )


def test_unfinished_earlier_step_is_named(steps, folder):
    raises = "def part():\n    raise NotImplementedError('Fill it in.')\n"
    last = "from steps.step_09 import part\n" + model(init="part()")
    desk = steps(step_09=raises, step_13=last)
    assert sentence(folder, desk).startswith(
        "steps/step_09.py is not finished: Fill it in."
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def part(:", "steps/step_09.py does not run: SyntaxError: "),
        ("1 / 0", "steps/step_09.py does not run: ZeroDivisionError: "),
        ("raise SystemExit(0)", "steps/step_09.py does not run: SystemExit: 0"),
        ("", "steps/step_09.py does not run: ImportError: cannot import name 'part'"),
        ("import no_such", "steps/step_09.py does not run: ModuleNotFoundError: "),
        ("class Error(Exception): ...\nraise Error('a\\nb')", "Error: a (check it"),
    ],
)
def test_broken_step_is_named(steps, folder, code, words):
    desk = steps(step_09=code, step_13="from steps.step_09 import part\n" + model())
    assert words in sentence(folder, desk)
    assert typed("s09") in sentence(folder, desk)


def test_missing_file_is_named(steps, folder):
    desk = steps(step_13="from steps.step_99 import GPT2Model\n" + model())
    assert sentence(folder, desk).startswith(
        "steps/step_99.py does not run: ModuleNotFound"
    )


def test_parameters_that_are_not_the_checkpoints(steps, folder):
    desk = steps(
        step_13=model(init="self.head = Linear(3, 5)", forward="return input_ids")
    )
    assert sentence(folder, desk).startswith("the model in steps/ does not run: ")


# An accelerator


def open_on_gpu(folder, monkeypatch, count, mine=None, *, cache=True):
    """Opens the tiny checkpoint with a given number of accelerators."""
    monkeypatch.setattr("max.driver.accelerator_count", lambda: count)
    for name in ("Engine", "RecomputingEngine"):
        made = partial(lambda name, *_, **more: more | {"name": name}, name)
        monkeypatch.setattr(engines, name, made)
    checkpoint = load_checkpoint(str(folder))
    how = {"mine": mine, "cache": cache, "device": "gpu"}
    return open_engine(checkpoint, on_compile=lambda _: None, **how)


@pytest.mark.parametrize("strict", [None, False])
def test_no_accelerator_is_one_sentence(folder, monkeypatch, steps, strict):
    mine = None if strict is None else borrow(steps(), own=[])
    with pytest.raises(NoAcceleratorError) as caught:
        open_on_gpu(folder, monkeypatch, 0, mine)
    assert "MAX finds no accelerator on this machine" in str(caught.value)


@pytest.mark.parametrize(
    ("cache", "name"), [(True, "Engine"), (False, "RecomputingEngine")]
)
def test_each_engine_gets_the_accelerator(folder, monkeypatch, cache, name):
    made = open_on_gpu(folder, monkeypatch, 1, cache=cache)
    assert (made["name"], made["device"]) == (name, "gpu")


def test_a_learners_model_on_an_accelerator(steps, folder, monkeypatch):
    mine = borrow(steps(), strict=True)
    made = open_on_gpu(folder, monkeypatch, 1, mine)
    assert (made["name"], made["device"]) == ("RecomputingEngine", "gpu")


# Smaller weights


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_the_engine_gets_the_precision(folder, monkeypatch, precision):
    monkeypatch.setattr(engines, "Engine", lambda *_, **options: options)
    checkpoint = load_checkpoint(str(folder))
    how = {"cache": True, "precision": precision, "on_compile": lambda _: None}
    assert open_engine(checkpoint, **how)["precision"] == precision


@pytest.mark.parametrize(
    ("model", "own", "cache", "who"),
    [
        (None, True, True, "your own model"),
        ("tiny-llama", False, True, "a Llama"),
        (None, False, False, "the model without a cache"),
    ],
)
def test_others_have_no_smaller_weights(steps, folder, model, own, cache, who):
    checkpoint = load_checkpoint(model or str(folder))
    mine = borrow(steps(), strict=True) if own else None
    how = {"mine": mine, "cache": cache, "precision": "int8"}
    with pytest.raises(CheckpointError, match=f"^{who} has float32 weights: leave"):
        open_engine(checkpoint, on_compile=lambda _: None, **how)


def test_a_row_that_32_does_not_divide_is_one_sentence(run, folder, monkeypatch):
    monkeypatch.setattr("gpt2.writer.open_engine", open_engine)
    result = run("Tom", "--model", str(folder), "--weights", "int8")
    assert result.exit_code == 1
    assert "int8 needs rows of a multiple of 32 weights" in result.stderr
    assert "Traceback" not in result.stderr


# A learner's own KV cache


def check_logits(engine, folder):
    """Compares an engine with the oracle, for one text and for three."""
    checkpoint = load_checkpoint(str(folder))
    text = np.array([[5, 2, 7], [1, 1, 4]])
    got = engine.prefill(text)
    np.testing.assert_allclose(got, last_logits(checkpoint, text), atol=1e-4)
    engine.select([1, 1, 0])
    text = np.column_stack([text[[1, 1, 0]], [4, 2, 0]])
    got = engine.decode(text[:, -1])
    np.testing.assert_allclose(got, last_logits(checkpoint, text), atol=1e-4)


def test_a_finished_kv_cache_is_used(steps, folder):
    said = []
    engine = open_mine(folder, steps(), note=said.append)
    assert type(engine) is CachedEagerEngine
    assert said == [KV_CACHE]
    check_logits(engine, folder)


def test_without_a_cache_the_learners_model_reads_the_whole_text(steps, folder):
    said = []
    engine = open_mine(folder, steps(), cache=False, note=said.append)
    assert type(engine) is EagerEngine
    assert said == []
    check_logits(engine, folder)


def test_a_borrowed_kv_cache_is_not_used(steps, folder):
    checkpoint, mine = load_checkpoint(str(folder)), borrow(steps(), own=["s08"])
    engine = open_engine(checkpoint, mine=mine, cache=True, on_compile=lambda _: None)
    assert type(engine) is EagerEngine


def last_logits(checkpoint, ids):
    """Returns the oracle's logits ``[B, V]`` after ids ``[B, T]``."""
    c = checkpoint.config
    state = dict(checkpoint.weights)
    return oracle.logits(ids, state, c.n_layer, c.n_head, c.layer_norm_epsilon)[:, -1]


def test_an_error_in_the_kv_cache_names_the_file(steps, folder):
    desk = steps(step_13=model(), encore_kv_cache="1 / 0")
    said = sentence(folder, desk, cache=True)
    assert "steps/encore_kv_cache.py does not run: ZeroDivisionError" in said
    assert typed("kv-cache") in said
