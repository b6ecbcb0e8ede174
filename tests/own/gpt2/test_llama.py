"""Llama checkpoints in Hugging Face's format: config.json, weights, and the engine."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from gpt2.checkpoint.configuration import read_config
from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.llama import llama_shapes
from gpt2.checkpoint.loading import load_checkpoint, need_gpt2
from gpt2.checkpoint.safetensors_files import read_weights
from gpt2.checkpoint.weights import convert_weights
from gpt2.learner.borrowing import borrow
from gpt2.learner.eager_engine import EagerEngine
from gpt2.open_engine import UNCACHED, open_engine
from solutions.encore_llama import LlamaForCausalLM
from tests.oracle import llama as oracle
from tests.own.gpt2.samples import BPE, POSITIONS, VOCAB, sentence

GOLDEN = Path(__file__).parents[2] / "golden"  # made by transformers
SETTINGS = {
    "model_type": "llama",
    "vocab_size": VOCAB,
    "max_position_embeddings": POSITIONS,
    "hidden_size": 24,
    "intermediate_size": 14,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "rms_norm_eps": 1e-5,
    "rope_theta": 500000,
    "tie_word_embeddings": False,
}


def settings(folder: Path, **changes: object) -> None:
    """Writes config.json with changes; the value ... removes a key."""
    kept = {k: v for k, v in (SETTINGS | changes).items() if v is not ...}
    (folder / "config.json").write_text(json.dumps(kept))


def random_weights(folder: Path) -> dict[str, np.ndarray]:
    """Random weights for the folder's config.json."""
    shapes = llama_shapes(read_config(folder / "config.json"))  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    return {n: rng.normal(size=s).astype(np.float32) for n, s in shapes.items()}


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    """Makes a complete checkpoint with random weights."""
    settings(tmp_path)
    BPE.save(str(tmp_path / "tokenizer.json"))
    save_file(random_weights(tmp_path), tmp_path / "model.safetensors")
    return tmp_path


@pytest.mark.parametrize("name", ["llama", "llama-tied"])
def test_it_writes_what_transformers_writes(name: str) -> None:
    config = read_config(GOLDEN / name / "config.json")
    weights = convert_weights(read_weights(GOLDEN / name), config)
    engine, known = (
        EagerEngine(config, weights, LlamaForCausalLM),
        np.load(GOLDEN / f"{name}.npz"),
    )
    logits = engine.prefill(known["prompt_2"][None])
    np.testing.assert_allclose(logits[0], known["logits"][-1], rtol=0, atol=2e-4)
    for number in range(3):
        right = known[f"greedy_{number}"]
        ids: list[int] = []
        logits = engine.prefill(known[f"prompt_{number}"][None])
        while len(ids) < len(right):
            ids.append(int(logits[0].argmax()))
            logits = engine.decode(np.array(ids[-1:])) if len(ids) < 64 else logits
        assert ids == right.tolist()


def test_its_config_and_weights_are_read(llama: Path) -> None:
    checkpoint = load_checkpoint(str(llama))
    config = checkpoint.config
    assert checkpoint.is_llama
    assert (config.n_embd, config.n_kv_head, config.rope_theta) == (24, 3, 500_000.0)  # type: ignore[attr-defined]
    assert checkpoint.weights.keys() == random_weights(llama).keys()


def test_it_runs_with_the_solution_and_with_the_learners_code(llama: Path) -> None:
    checkpoint = load_checkpoint(str(llama))
    notes: list[str] = []
    ids = np.array([[3, 1, 4, 1, 5]])
    sizes = oracle.Sizes(2, 6, 3, 500_000.0, 1e-5)
    right = oracle.logits(ids, checkpoint.weights, sizes)[:, -1]
    for mine in (None, borrow(own=())):
        engine = open_engine(checkpoint, mine=mine, cache=True, on_compile=notes.append)
        np.testing.assert_allclose(engine.prefill(ids), right, rtol=2e-4, atol=2e-4)
    assert UNCACHED in notes


def test_only_a_gpt2_goes_to_the_gpu(llama: Path, monkeypatch) -> None:
    monkeypatch.setattr("gpt2.open_engine.check_accelerator", lambda: None)
    checkpoint = load_checkpoint(str(llama))
    with pytest.raises(CheckpointError, match="is a Llama, which runs on the CPU"):
        open_engine(checkpoint, cache=True, device="gpu", on_compile=print)


def test_a_command_that_needs_a_gpt2_says_so(llama: Path) -> None:
    checkpoint = load_checkpoint(str(llama))
    with pytest.raises(CheckpointError, match="is a Llama, and the server needs"):
        need_gpt2(checkpoint, "the server")


@pytest.mark.parametrize(
    "changes",
    [
        {"num_key_value_heads": ..., "hidden_act": "silu", "head_dim": 4},
        {"rope_theta": ..., "rope_parameters": {"rope_theta": 10.0}},
        {"rope_scaling": None, "attention_bias": False, "mlp_bias": False},
        {"rope_scaling": {"rope_type": "default"}, "tie_word_embeddings": ...},
        {"quantization_config": None, "pretraining_tp": 1, "hidden_act": "swish"},
    ],
)
def test_other_ways_to_say_the_same(llama: Path, changes: dict) -> None:
    settings(llama, **changes)
    save_file(random_weights(llama), llama / "model.safetensors")
    assert load_checkpoint(str(llama)).config.n_positions == POSITIONS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rope_scaling": {"rope_type": "llama3"}}, "has rope_type = 'llama3'"),
        ({"rope_scaling": {"type": "linear"}}, "has rope_type = 'linear'"),
        ({"rope_scaling": "linear"}, "has rope_parameters = 'linear'"),
        ({"attention_bias": True}, "has attention_bias = True"),
        ({"mlp_bias": True}, "has mlp_bias = True"),
        ({"hidden_act": "gelu"}, "has hidden_act = 'gelu': the Llama of this course"),
        ({"head_dim": 8}, "has head_dim = 8: the Llama of this course needs 4"),
        ({"num_key_value_heads": 4}, "which num_key_value_heads = 4 does not divide"),
        ({"num_attention_heads": 5}, "which num_attention_heads = 5 does not divide"),
        ({"num_attention_heads": 24}, "has heads of 1 channels"),
        ({"hidden_size": ...}, "has no hidden_size"),
        ({"rms_norm_eps": "small"}, "has rms_norm_eps = 'small'"),
        ({"rope_theta": -1.0}, "has rope_theta = -1.0"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings = 'yes': it must be"),
        ({"tie_word_embeddings": True}, "so the two files do not fit"),
        ({"model_type": "mistral"}, "only 'gpt2' and 'llama' can be used"),
        ({"intermediate_size": 15}, "has shape [14, 24] where config.json asks"),
    ],
)
def test_what_cannot_be_used_gets_one_sentence(
    llama: Path, changes: dict, words: str
) -> None:
    settings(llama, **changes)
    assert words in sentence(llama)


def test_names_with_another_prefix_and_constants(llama: Path) -> None:
    weights = {f"base.{n}": x for n, x in random_weights(llama).items()}
    name = "base.model.layers.0.self_attn.rotary_emb.inv_freq"
    weights |= {name: np.ones(2, np.float32)}
    save_file(weights, llama / "model.safetensors")
    assert "lm_head.weight" in load_checkpoint(str(llama)).weights
