"""``gpt2 --amateur``: two engines, whose logits the encore's function contrasts."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from course.registry import find_exercise
from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.checkpoint.second_model import load_second, silent_after
from gpt2.decoding.contrast import ContrastingEngine
from gpt2.decoding.settings import ContrastSettings
from solutions.encore_contrastive import contrastive_logits
from tests.oracle import model as oracle
from tests.own.gpt2.samples import (
    BPE,
    LAYERS,
    POSITIONS,
    TableEngine,
    prefixed,
    tensors,
    write_config,
)
from tests.own.gpt2.test_cli_refusals import usage_error

SETTINGS = ContrastSettings(alpha=0.01, beta=1.5)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> list[TableEngine]:
    """Opens a different engine for each checkpoint, the writer's first."""
    engines = [TableEngine(), TableEngine()]
    engines[1].table = np.random.default_rng(1).normal(size=engines[0].table.shape)
    waiting = iter(engines)
    monkeypatch.setattr("gpt2.writer.open_engine", lambda *_, **__: next(waiting))
    return engines


@pytest.fixture
def other(tmp_path: Path) -> Callable[..., str]:
    """Makes another checkpoint; ``changes`` are for its config.json."""

    def make(**changes) -> str:
        folder = tmp_path / "other"
        folder.mkdir()
        write_config(folder, **changes)
        BPE.save(str(folder / "tokenizer.json"))
        arrays = prefixed(tensors())
        size = changes.get("n_positions", POSITIONS)
        arrays["transformer.wpe.weight"] = arrays["transformer.wpe.weight"][:size]
        save_file(arrays, folder / "model.safetensors")
        return str(folder)

    return make


def logits_of(checkpoint: Checkpoint, layers: int) -> np.ndarray:
    """The reference's logits after some ids, with the first layers alone."""
    config, ids = checkpoint.config, np.array([[3, 1, 4, 1, 5]])
    return oracle.logits(ids, checkpoint.weights, layers, config.n_head)


# The engine


def test_both_engines_read_the_same_and_the_rows_are_contrasted():
    expert, amateur = TableEngine(20), TableEngine(20)
    amateur.table = np.random.default_rng(1).normal(size=[20, 20])
    engine = ContrastingEngine(expert, amateur, SETTINGS, contrastive_logits)
    engine.prefill(np.array([[1, 2, 3], [4, 5, 6]]))
    engine.select([1, 0, 1])
    got = engine.decode(np.array([7, 8, 9]))
    texts = np.array([[4, 5, 6, 7], [1, 2, 3, 8], [4, 5, 6, 9]])
    rows = zip(expert.logits(texts), amateur.logits(texts), strict=True)
    expected = [contrastive_logits(*row, alpha=0.01, beta=1.5) for row in rows]
    np.testing.assert_allclose(got, expected)


# The weaker model


def test_first_layers_compute_what_a_shorter_model_computes():
    checkpoint = load_checkpoint("tiny-stories")
    for count in (1, 3):
        weak = silent_after(checkpoint, count)
        assert weak.config == checkpoint.config  # so that the graph is the same
        whole = logits_of(weak, checkpoint.config.n_layer)
        np.testing.assert_allclose(whole, logits_of(checkpoint, count), atol=1e-9)


def test_the_checkpoint_stays_as_it_was(folder):
    checkpoint = load_checkpoint(str(folder))
    before = {name: array.copy() for name, array in checkpoint.weights.items()}
    silent_after(checkpoint, 1)
    for name, array in checkpoint.weights.items():
        np.testing.assert_array_equal(array, before[name])


def test_another_model_of_the_same_tokens(folder, other):
    path = other()
    expert = load_checkpoint(str(folder))
    amateur = load_second(path, expert, POSITIONS, "amateur", silent_after)
    assert amateur.name == path


@pytest.mark.parametrize("count", [0, LAYERS, 99])
def test_a_number_of_layers_that_the_model_has_not(run, count):
    result = run("Once", "--amateur", f"layers:{count}")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert f"has {LAYERS} layers: layers:N takes the first 1 to 1 of" in result.stderr


def test_another_vocabulary_is_refused(other):
    expert = load_checkpoint("tiny-stories")
    with pytest.raises(CheckpointError, match="the vocabularies differ"):
        load_second(other(), expert, 8, "amateur", silent_after)


# The command


def report(run, *arguments: str) -> dict:
    result = run("Once", "--json", "--max-new-tokens", "8", *arguments)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_text_is_chosen_by_the_contrasted_logits(run, pair):
    found = report(run, "--greedy", "--amateur", "layers:1")
    ids = found["prompt_ids"]
    for token in found["ids"][len(ids) :]:
        rows = [engine.logits(np.array([ids]))[0] for engine in pair]
        assert token == contrastive_logits(*rows, alpha=0.1, beta=0.5).argmax()
        ids = [*ids, token]
    assert found["strategy"] == {
        "name": "greedy",
        "repetition_penalty": 1.0,
        "amateur": "layers:1",
        "alpha": 0.1,
        "beta": 0.5,
    }


def test_alpha_and_beta_are_used(run, pair):
    options = ("--amateur-alpha", "0.001", "--amateur-beta", "3")
    found = report(run, "--greedy", "--amateur", "layers:1", *options)
    ids = found["prompt_ids"]
    rows = [engine.logits(np.array([ids]))[0] for engine in pair]
    first = contrastive_logits(*rows, alpha=0.001, beta=3).argmax()
    assert found["ids"][len(ids)] == first
    assert found["strategy"]["beta"] == 3


@pytest.mark.parametrize(
    "way",
    [
        ("--beams", "3"),
        ("--seed", "1"),
        ("--seed", "1", "--num-samples", "3"),
        ("--seed", "1", "--draft", "ngram"),
        ("--seed", "1", "--matching", "[a-z]*"),
    ],
)
def test_every_way_of_choosing_works_on_them(run, pair, way):
    assert (
        report(run, "--amateur", "layers:1", *way)["strategy"]["amateur"] == "layers:1"
    )


def test_show_steps_shows_the_contrasted_probabilities(run, pair):
    result = run("Once", "--amateur", "layers:1", "--greedy", "--show-steps")
    assert result.exit_code == 0
    assert "%" in result.stderr


@pytest.mark.parametrize("option", ["--amateur-alpha", "--amateur-beta"])
def test_no_setting_without_an_amateur(run, option):
    error = usage_error(run("Once", option, "0.3"))
    assert f"{option} needs --amateur" in error


def test_an_unknown_amateur_is_a_usage_error(run):
    assert "did you mean" in usage_error(run("Once", "--amateur", "gtp2"))


def test_a_text_that_is_too_long_for_the_amateur(run, other):
    path = other(n_positions=8)
    result = run("Once", "--amateur", path, "--max-new-tokens", "20")
    assert result.exit_code == 1
    assert f"{path} sees 8 tokens, and the text may have" in result.stderr


def test_the_learners_function_is_used(run, pair, steps):
    code = (
        "import numpy as np\n"
        "def contrastive_logits(expert, amateur, *, alpha=0.1, beta=0.5):\n"
        "    return np.where(np.arange(len(expert)) == 64, 1.0, -np.inf)\n"
    )
    loop = find_exercise("14").solved
    desk = steps(step_14=loop, encore_contrastive=code)
    options = ("--mine", "--strict", "--steps-dir", str(desk), "--greedy")
    result = run("Once", *options, "--amateur", "layers:1", "--max-new-tokens", "2")
    assert result.stdout == "Once``\n", result.stderr


def test_a_learners_function_that_fails_is_named(run, pair, steps):
    code = "def contrastive_logits(*_, **__):\n    1 / 0\n"
    desk = steps(step_14=find_exercise("14").solved, encore_contrastive=code)
    options = ("--mine", "--strict", "--steps-dir", str(desk), "--greedy")
    result = run("Once", *options, "--amateur", "layers:1")
    assert result.exit_code == 1
    assert "encore_contrastive.py does not run: ZeroDivisionError" in result.stderr
