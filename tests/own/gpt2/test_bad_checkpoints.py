"""Folders that cannot be used give one sentence each."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.own.gpt2.samples import (
    VOCAB,
    prefixed,
    sentence,
    shard,
    tensors,
    write_config,
)


def test_missing_config(folder):
    (folder / "config.json").unlink()
    assert f"{folder} has no config.json" in sentence(folder)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"", b"[1]", b'"gpt2"'])
def test_config_is_not_a_json_object(folder, content):
    (folder / "config.json").write_bytes(content)
    assert "JSON" in sentence(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_type", "llama"),
        ("model_type", ...),
        ("activation_function", "relu"),
        ("tie_word_embeddings", False),
        ("scale_attn_weights", False),
        ("scale_attn_by_inverse_layer_idx", True),
        ("reorder_and_upcast_attn", True),
        ("add_cross_attention", True),
        ("n_embd", "12"),
        ("n_embd", 12.0),
        ("n_layer", 0),
        ("n_head", True),
        ("n_head", 5),
        ("n_positions", -1),
        ("layer_norm_epsilon", 0.0),
        ("layer_norm_epsilon", float("nan")),
    ],
)
def test_config_that_cannot_be_used(folder, key, value):
    write_config(folder, **{key: value})
    message = sentence(folder)
    assert "config.json" in message
    assert key in message or key == "model_type"


def test_no_weights(folder):
    (folder / "model.safetensors").unlink()
    assert "no model.safetensors" in sentence(folder)


def test_pickle_is_never_opened(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    assert "pickle" in sentence(folder)
    assert "save_pretrained" in sentence(folder)


def test_truncated_at_any_place(folder):
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    for length in (0, 5, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "model.safetensors is damaged or cut short" in sentence(folder)


def test_missing_shard(folder):
    shard(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "model-00002-of-00002.safetensors is missing" in sentence(folder)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"weight_map": []}'])
def test_bad_index(folder, content):
    shard(folder)
    (folder / "model.safetensors.index.json").write_text(content)
    assert "model.safetensors.index.json" in sentence(folder)


@pytest.mark.parametrize(
    "name", ["transformer.h.1.mlp.c_fc.bias", "transformer.wte.weight"]
)
def test_missing_tensor(folder, name):
    arrays = prefixed(tensors())
    del arrays[name]
    save_file(arrays, folder / "model.safetensors")
    assert "lacks" in sentence(folder)
    assert f"{name} (1 in all)" in sentence(folder)


def test_extra_tensors(folder):
    extra = {f"h.0.adapter.{n}": np.zeros(2, np.float32) for n in range(5)}
    save_file(tensors() | extra, folder / "model.safetensors")
    assert "no use for" in sentence(folder)
    assert "transformer.h.0.adapter.2, … (5 in all)" in sentence(folder)


def test_wrong_shape(folder):
    arrays = prefixed(tensors())
    name = "transformer.h.1.attn.c_attn.weight"
    arrays[name] = np.ascontiguousarray(arrays[name].T)
    save_file(arrays, folder / "model.safetensors")
    assert f"{name} has shape [36, 12] where config.json asks for [12, 36]" in sentence(
        folder
    )


def test_untied_head(folder):
    head = tensors()["wte.weight"] + 1
    save_file(tensors() | {"lm_head.weight": head}, folder / "model.safetensors")
    assert "lm_head.weight" in sentence(folder)


def test_weights_of_another_type(folder):
    whole = {name: x.astype(np.int64) for name, x in tensors().items()}
    save_file(whole, folder / "model.safetensors")
    assert "as I64" in sentence(folder)


def test_tokenizer_larger_than_the_model(folder):
    write_config(folder, vocab_size=VOCAB - 1)
    assert f"has {VOCAB} tokens, but the model only {VOCAB - 1}" in sentence(folder)
