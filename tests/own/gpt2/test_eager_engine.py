"""A learner's uncompiled model writes what its code says, right or wrong."""

import re
from importlib import import_module

import numpy as np
import pytest
from max.experimental.realization_context import EagerRealizationContext

from course.catalogue import load_mistakes
from course.registry import find_exercise, load_registry
from gpt2.learner.eager_engine import CachedEagerEngine, EagerEngine
from runtime.defaults import one_graph
from runtime.direct import operations

SIZES = dict(vocab_size=19, n_positions=16, n_embd=8, n_layer=2, n_head=2, n_inner=20)
KEYS = [*(f"s{number:02}" for number in range(3, 14)), "kv-cache"]
SOLVED = {e.file: e.solved for e in load_registry() if e.in_python}
LAST = """
from max.experimental.nn import Module
from max.experimental.tensor import Tensor

class MaxGPT2LMHeadModel(Module):
    def __init__(self, config):
        self.weight = Tensor.ones([1, 1, 19])
        self.calls = []
    def forward(self, input_ids):
        {code}
"""


def open_engine(cached: bool):
    """Gives random weights to the model in ``steps``."""
    config = import_module("steps.step_01").GPT2Config(**SIZES)
    module = import_module("steps.encore_kv_cache" if cached else "steps.step_13")
    name = "CachedGPT2LMHeadModel" if cached else "MaxGPT2LMHeadModel"
    with one_graph():
        empty = getattr(module, name)(config)
    rng = np.random.default_rng(0)
    weights = {
        name: rng.normal(0, 0.5, [int(size) for size in parameter.shape])
        for name, parameter in empty.parameters
    }
    weights = {name: array.astype(np.float32) for name, array in weights.items()}
    if cached:
        return CachedEagerEngine(config, weights, module)
    return EagerEngine(config, weights, module.MaxGPT2LMHeadModel)


def written(cached: bool):
    """Returns the bits of some tokens' logits, or the error of the learner's code."""
    try:
        engine = open_engine(cached)
        logits = [engine.prefill(np.array([[3, 1, 4], [1, 5, 2]]))]
        engine.select([1, 0, 0])
        logits += [engine.decode(np.array([token, 2, 7])) for token in (9, 6)]
        return [(array.shape, array.tobytes()) for array in logits]
    except Exception as error:
        return type(error), str(error)


def mistaken(key: str) -> dict[str, str]:
    """Returns the step's solution and some mistakes, as a learner would write them."""
    exercise = find_exercise(key)
    files = {"solution": exercise.solved}
    for mistake in load_mistakes(exercise)[::8]:
        text = re.sub(r"solutions\.solution_", "steps.step_", mistake.source)
        files[mistake.name] = text
    return files


@pytest.mark.parametrize("key", KEYS)
def test_rules_change_no_bit_and_mistakes_show(steps, monkeypatch, key):
    cached, different = key == "kv-cache", set()
    for name, text in mistaken(key).items():
        steps(**SOLVED | {find_exercise(key).file: text})
        got = written(cached)
        with monkeypatch.context() as patch:
            patch.setattr(operations, "available", lambda: False)
            assert written(cached) == got, name
        different.add(str(got))
    assert len(different) > 1


def test_without_patches_the_bits_are_the_same(steps, monkeypatch):
    steps()
    got = written(cached=False), written(cached=True)
    monkeypatch.setenv("COURSE_PLAIN_MAX", "1")
    assert got == (written(cached=False), written(cached=True))


def test_both_engines_agree(steps):
    steps()
    plain, cached = open_engine(False), open_engine(True)
    text = np.array([[3, 1, 4]])
    np.testing.assert_allclose(plain.prefill(text), cached.prefill(text), atol=1e-5)
    token = np.array([9])
    np.testing.assert_allclose(plain.decode(token), cached.decode(token), atol=1e-5)


@pytest.mark.parametrize("cached", [False, True])
def test_tokens_are_taken_back(steps, cached):
    steps()
    engine, text = open_engine(cached), np.array([[3, 1, 4, 1, 5, 9, 2]])
    expected = open_engine(False).continue_from(0, text, 7)
    wrong = np.array([[3, 1, 4, 8, 8, 8]])
    assert engine.continue_from(0, wrong, 2).shape == (1, 2, 19)
    found = engine.continue_from(3, text[:, 3:6], 3)
    np.testing.assert_allclose(found, expected[:, 3:6], atol=1e-5)
    last = engine.decode(text[:, 6])
    np.testing.assert_allclose(last, expected[:, 6], atol=1e-5)


@pytest.mark.parametrize("cached", [False, True])
def test_every_operation_of_the_solutions_has_a_rule(steps, monkeypatch, cached):
    steps()
    engine = open_engine(cached)
    monkeypatch.setattr(EagerRealizationContext, "finalize_graph", None)
    engine.prefill(np.array([[3, 1, 4]]))
    assert engine.decode(np.array([1])).shape == (1, 19)


def engine_of(steps, code: str):
    """Opens a model whose ``forward`` is the given line."""
    steps(step_13=LAST.format(code=code))
    return open_engine(cached=False)


def test_the_learners_code_runs_for_every_token(steps):
    code = "self.calls.append(input_ids.to_numpy().tolist()); return self.weight * 1"
    engine = engine_of(steps, code)
    engine.prefill(np.array([[3, 1]]))
    engine.decode(np.array([4]))
    assert engine._model.calls == [[[3, 1]], [[3, 1, 4]]]


def test_code_may_depend_on_lengths_and_values(steps):
    length = "int(input_ids.shape[1])"
    value = "float((input_ids + 1).to_numpy()[0, -1])"
    engine = engine_of(steps, f"return self.weight * 0 + {length} * {value}")
    assert engine.prefill(np.array([[3, 1]]))[0, 0] == 2 * 2
    assert engine.decode(np.array([6]))[0, 0] == 3 * 7
    assert engine.decode(np.array([6]))[0, 0] == 4 * 7


def test_a_text_that_does_not_fit_is_refused(steps):
    engine = engine_of(steps, "return self.weight * 1")
    with pytest.raises(ValueError, match="17 tokens are more than the 16"):
        engine.prefill(np.zeros([1, 17], dtype=np.int64))
    engine.prefill(np.zeros([1, 16], dtype=np.int64))
    with pytest.raises(ValueError, match="17 tokens"):
        engine.decode(np.array([1]))
    with pytest.raises(ValueError, match="no text of 2 rows"):
        engine.decode(np.array([1, 2]))
