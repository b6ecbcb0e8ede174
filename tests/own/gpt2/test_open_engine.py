"""``--mine`` runs a learner's model, or names the missing step."""

from functools import partial

import numpy as np
import pytest

from course.commands import typed
from course.registry import load_registry
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.engine import engines
from gpt2.learner.step_errors import LearnerError
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


def open_mine(folder):
    """Opens the tiny checkpoint with the model in steps/."""
    checkpoint = load_checkpoint(str(folder))
    return open_engine(checkpoint, mine=True, cache=True, on_compile=lambda _: None)


def sentence(folder):
    """Returns the one-line message for the learner."""
    with pytest.raises(LearnerError) as caught:
        open_mine(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_learners_own_model_and_config_are_used(steps, folder, monkeypatch):
    steps(step_13=model())
    monkeypatch.setattr(engines, "RecomputingEngine", lambda *given, **_: given)
    config, weights, model_class = open_mine(folder)
    assert config.__module__ == "steps.step_01"
    assert config.n_positions == POSITIONS
    assert model_class.__module__ == "steps.step_13"
    assert "transformer.wte.weight" in weights


@pytest.mark.parametrize(
    "files",
    [
        {"step_13": model(init="raise NotImplementedError('Create transformer.')")},
        {"step_13": model(forward="raise NotImplementedError('Create transformer.')")},
    ],
)
def test_unfinished_step_is_named(steps, folder, files):
    steps(**files)
    assert sentence(folder) == (
        "steps/step_13.py is not finished: Create transformer. "
        f"(check it with: {typed('s13')})"
    )


def test_unfinished_earlier_step_is_named(steps, folder):
    raises = "def part():\n    raise NotImplementedError('Fill it in.')\n"
    last = "from steps.step_09 import part\n" + model(init="part()")
    steps(step_09=raises, step_13=last)
    assert sentence(folder).startswith("steps/step_09.py is not finished: Fill it in.")


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
    steps(step_09=code, step_13="from steps.step_09 import part\n" + model())
    assert words in sentence(folder)
    assert typed("s09") in sentence(folder)


def test_missing_file_is_named(steps, folder):
    steps(step_13="from steps.step_99 import GPT2Model\n" + model())
    assert sentence(folder).startswith("steps/step_99.py does not run: ModuleNotFound")


def test_parameters_that_are_not_the_checkpoints(steps, folder):
    steps(step_13=model(init="self.head = Linear(3, 5)", forward="return input_ids"))
    assert sentence(folder).startswith("the model in steps/ does not run: ")


# An accelerator


def open_on_gpu(folder, monkeypatch, count, **options):
    """Opens the tiny checkpoint with a given number of accelerators."""
    monkeypatch.setattr("max.driver.accelerator_count", lambda: count)
    for name in ("Engine", "RecomputingEngine"):
        made = partial(lambda name, *_, **more: more | {"name": name}, name)
        monkeypatch.setattr(engines, name, made)
    checkpoint = load_checkpoint(str(folder))
    options = dict(mine=False, cache=True, on_compile=None) | options
    return open_engine(checkpoint, device="gpu", **options)


@pytest.mark.parametrize("mine", [False, True])
def test_no_accelerator_is_one_sentence(folder, monkeypatch, mine):
    with pytest.raises(NoAcceleratorError) as caught:
        open_on_gpu(folder, monkeypatch, 0, mine=mine)
    assert "MAX finds no accelerator on this machine" in str(caught.value)


@pytest.mark.parametrize(
    ("cache", "name"), [(True, "Engine"), (False, "RecomputingEngine")]
)
def test_each_engine_gets_the_accelerator(folder, monkeypatch, cache, name):
    made = open_on_gpu(folder, monkeypatch, 1, cache=cache)
    assert (made["name"], made["device"]) == (name, "gpu")


def test_a_learners_model_on_an_accelerator(steps, folder, monkeypatch):
    steps(step_13=model())
    made = open_on_gpu(folder, monkeypatch, 1, mine=True)
    assert (made["name"], made["device"]) == ("RecomputingEngine", "gpu")


# A learner's own KV cache


def solved(steps):
    """Puts every solution in place of the step."""
    steps(**{exercise.file: exercise.solved for exercise in load_registry()})


def test_a_finished_kv_cache_is_used(steps, folder):
    solved(steps)
    said, checkpoint = [], load_checkpoint(str(folder))
    mine = open_engine(checkpoint, mine=True, cache=True, on_compile=said.append)
    assert "your KV cache runs uncompiled" in said[0]
    text = np.array([[5, 2, 7], [1, 1, 4]])
    got = mine.prefill(text)
    np.testing.assert_allclose(got, last_logits(checkpoint, text), atol=1e-4)
    mine.select([1, 1, 0])
    text = np.column_stack([text[[1, 1, 0]], [4, 2, 0]])
    got = mine.decode(text[:, -1])
    np.testing.assert_allclose(got, last_logits(checkpoint, text), atol=1e-4)


def last_logits(checkpoint, ids):
    """Returns the oracle's logits ``[B, V]`` after ids ``[B, T]``."""
    c = checkpoint.config
    state = dict(checkpoint.weights)
    return oracle.logits(ids, state, c.n_layer, c.n_head, c.layer_norm_epsilon)[:, -1]


def test_an_error_in_the_kv_cache_names_the_file(steps, folder):
    steps(step_13=model(), encore_kv_cache="1 / 0")
    assert "steps/encore_kv_cache.py does not run: ZeroDivisionError" in sentence(
        folder
    )
    assert typed("kv-cache") in sentence(folder)
