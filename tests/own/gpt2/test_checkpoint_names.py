"""Names of parameters: whatever wrapped the model when it was saved."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from gpt2.checkpoint.loading import load_checkpoint
from tests.own.gpt2.samples import (
    CHANNELS,
    INNER,
    VOCAB,
    prefixed,
    sentence,
    shard,
    tensors,
    write_config,
)
from tests.own.gpt2.test_checkpoints import assert_loaded

HEAD = "lm_head.weight"


def with_head(arrays):
    """Adds the tied head, as ``state_dict`` has it."""
    return arrays | {HEAD: arrays["transformer.wte.weight"]}


def renamed(prefix, model="transformer."):
    """Puts a prefix before all names; ``model`` is the name of the inner model."""
    whole = with_head(prefixed(tensors()))
    inner = {name.replace("transformer.", model): x for name, x in whole.items()}
    return {f"{prefix}{name}": array for name, array in inner.items()}


@pytest.mark.parametrize(
    "prefix",
    [
        "_orig_mod.",  # torch.compile
        "module.",  # DataParallel and DistributedDataParallel
        "_orig_mod.module.",
        "module._orig_mod.",
        "model.",  # Lightning and many training loops
        "base_model.model.",  # peft, after merging
        "student.",
        "_fsdp_wrapped_module.",
    ],
)
@pytest.mark.parametrize("model", ["transformer.", "", "model.transformer.", "gpt2."])
def test_prefixes_go_away(folder, prefix, model):
    save_file(renamed(prefix, model), folder / "model.safetensors")
    assert_loaded(folder)


def test_wrappers_of_each_block_go_away(folder):
    names = {
        name: name.replace("ln_1", "_checkpoint_wrapped_module.ln_1").replace(
            "attn.c_", "_orig_mod.attn.c_"
        )
        for name in prefixed(tensors())
    }
    arrays = {names[name]: x for name, x in prefixed(tensors()).items()}
    save_file(arrays, folder / "model.safetensors")
    assert_loaded(folder)


def test_save_model_keeps_the_head_and_drops_the_embedding(folder):
    arrays = with_head(prefixed(tensors()))
    del arrays["transformer.wte.weight"]
    metadata = {"format": "pt", "transformer.wte.weight": HEAD}
    save_file(arrays, folder / "model.safetensors", metadata)
    assert_loaded(folder)
    save_file(
        {f"_orig_mod.{name}": array for name, array in arrays.items()},
        folder / "model.safetensors",
    )
    assert_loaded(folder)


def test_save_model_in_two_files(folder):
    shard(folder)
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    arrays = prefixed(tensors())
    head = {HEAD: arrays.pop("transformer.wte.weight")}
    save_file(head, folder / "head.safetensors")
    first = {n: arrays[n] for n in list(arrays)[:8]}
    save_file(first, folder / "model-00001-of-00002.safetensors")
    del index["weight_map"]["transformer.wte.weight"]
    index["weight_map"][HEAD] = "head.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert_loaded(folder)


def test_two_models_in_one_file(folder):
    both = renamed("student.") | renamed("teacher.")
    save_file(both, folder / "model.safetensors")
    assert "several models (student.transformer.wpe.weight, teacher." in sentence(
        folder
    )


def test_adapter_that_is_not_merged(folder):
    name = "base_model.model.transformer.h.0.attn.c_attn.lora_A.default.weight"
    save_file({name: np.ones([8, CHANNELS])}, folder / "model.safetensors")
    assert "a LoRA adapter that is not merged" in sentence(folder)
    assert "merge_and_unload" in sentence(folder)


def test_weights_in_the_order_of_linear_layers(folder):
    linear = {
        name: np.ascontiguousarray(x.T) if ".c_" in name and x.ndim == 2 else x
        for name, x in prefixed(tensors()).items()
    }
    save_file(linear, folder / "model.safetensors")
    message = sentence(folder)
    assert "it is stored [out, in], as nanoGPT, minGPT and llm.c have it" in message
    assert "also the square ones" in message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(folder, value):
    arrays = prefixed(tensors())
    arrays["transformer.h.1.mlp.c_fc.bias"][5] = value
    save_file(arrays, folder / "model.safetensors")
    assert "transformer.h.1.mlp.c_fc.bias has numbers that are NaN" in sentence(folder)


def test_float64(folder):
    doubles = {name: x.astype(np.float64) for name, x in tensors().items()}
    save_file(doubles, folder / "model.safetensors")
    assert_loaded(folder)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.bool_])
def test_quantized_weights(folder, dtype):
    arrays = prefixed(tensors())
    name = "transformer.h.0.attn.c_attn.weight"
    arrays[name] = arrays[name].astype(dtype)
    save_file(arrays, folder / "model.safetensors")
    assert f"stores {name} as " in sentence(folder)
    assert "not quantized" in sentence(folder)


def test_masks_may_have_any_type(folder):
    masks = {"h.0.attn.bias": np.ones([1, 1, 4, 4], np.int64)}
    masks["h.1.attn.masked_bias"] = np.array(-1e9, np.float64)
    save_file(tensors() | masks, folder / "model.safetensors")
    assert_loaded(folder)


def test_empty_tensor(folder):
    arrays = prefixed(tensors())
    arrays["transformer.ln_f.bias"] = np.empty([0], np.float32)
    save_file(arrays, folder / "model.safetensors")
    assert "ln_f.bias has shape [0] where config.json asks for [12]" in sentence(folder)
    assert "zero_to_fp32.py" in sentence(folder)


def test_rows_that_only_pad_the_vocabulary_are_no_tokens(folder):
    arrays = prefixed(tensors())
    embedding = arrays["transformer.wte.weight"]
    rows = np.ones([320 - VOCAB, CHANNELS], np.float32)
    arrays["transformer.wte.weight"] = np.concatenate([embedding, rows])
    save_file(arrays, folder / "model.safetensors")
    write_config(folder, vocab_size=320, n_inner=INNER)
    assert load_checkpoint(str(folder)).config.vocab_size == VOCAB
    assert_loaded(folder)


def test_model_larger_than_the_memory(folder):
    write_config(folder, n_layer=10**9)
    assert "GiB for its weights, and this machine has" in sentence(folder)
    write_config(folder, n_embd=12 * 10**9)
    assert "GiB for its weights, and this machine has" in sentence(folder)
