"""Checkpoints: all formats that can be read, and all known names."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from gpt2.checkpoint.errors import UnknownModelError
from gpt2.checkpoint.loading import check_name, load_checkpoint
from gpt2.checkpoint.weights import convert_weights
from solutions.solution_01 import GPT2Config
from tests.own.gpt2.samples import (
    CHANNELS,
    INNER,
    POSITIONS,
    VOCAB,
    prefixed,
    save_bfloat16,
    sentence,
    shard,
    tensors,
    write_config,
)

LINEAR = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def expected() -> dict[str, np.ndarray]:
    """Returns weights for ``MaxGPT2LMHeadModel``: prefixed, linear ones [out, in]."""
    return {
        name: x.T if name.endswith(LINEAR) else x
        for name, x in prefixed(tensors()).items()
    }


def assert_loaded(folder: Path, tolerance: float = 0.0) -> None:
    """Checks that the folder loads as the tensors above, in new arrays."""
    weights = load_checkpoint(str(folder)).weights
    assert weights.keys() == expected().keys()
    for name, array in expected().items():
        np.testing.assert_allclose(weights[name], array, rtol=tolerance, err_msg=name)
        assert weights[name].dtype == np.float32
        assert weights[name].flags.c_contiguous
        assert weights[name].flags.owndata


def test_one_file_with_prefix(folder):
    assert_loaded(folder)


def test_keys_without_prefix(folder):
    save_file(tensors(), folder / "model.safetensors")
    assert_loaded(folder)


def test_float16(folder):
    halves = {name: x.astype(np.float16) for name, x in tensors().items()}
    save_file(halves, folder / "model.safetensors")
    assert_loaded(folder, tolerance=2e-3)


def test_bfloat16_is_widened_exactly(folder):
    save_bfloat16(tensors(), folder / "model.safetensors")
    assert_loaded(folder, tolerance=2**-7)
    ln_f = load_checkpoint(str(folder)).weights["transformer.ln_f.weight"]
    upper = tensors()["ln_f.weight"].view(np.uint32) & 0xFFFF0000
    np.testing.assert_array_equal(ln_f, upper.view(np.float32))


def test_shards(folder):
    shard(folder)
    assert_loaded(folder)


def test_masks_and_a_tied_head_are_dropped(folder):
    mask = np.tril(np.ones([1, 1, POSITIONS, POSITIONS], dtype=bool))
    extra = {f"h.{number}.attn.bias": mask for number in range(2)}
    extra["h.0.attn.masked_bias"] = np.array(-1e4, dtype=np.float32)
    extra["lm_head.weight"] = tensors()["wte.weight"]
    save_file(tensors() | extra, folder / "model.safetensors")
    assert_loaded(folder)


def test_conversion_leaves_its_input_alone():
    arrays = {name: array.copy() for name, array in tensors().items()}
    config = GPT2Config(VOCAB, POSITIONS, CHANNELS, 2, 3, INNER)
    weights = convert_weights(arrays, config)
    weights["transformer.wte.weight"][:] = 0
    assert arrays.keys() == tensors().keys()
    np.testing.assert_array_equal(arrays["wte.weight"], tensors()["wte.weight"])


def test_config(folder):
    write_config(folder, layer_norm_epsilon=1e-6)
    config = load_checkpoint(str(folder)).config
    assert config == GPT2Config(VOCAB, POSITIONS, CHANNELS, 2, 3, INNER, 1e-6)


def test_sizes_left_out_are_those_of_gpt2(folder):
    write_config(folder, n_layer=..., n_inner=...)
    assert "(120 in all)" in sentence(folder)  # 12 tensors for each of 10 layers


def test_embedded_model_loads():
    checkpoint = load_checkpoint("tiny-stories")
    assert checkpoint.config.vocab_size == checkpoint.tokenizer.size
    assert checkpoint.name == "tiny-stories"


# Names


@pytest.mark.parametrize(
    ("name", "meant"),
    [("gtp2", "gpt2"), ("tinystories", "tiny-stories"), ("gpt2-xxl", "gpt2-xl")],
)
def test_unknown_name_suggests(name, meant):
    with pytest.raises(UnknownModelError, match=rf"{name}.* mean .*\b{meant}\b"):
        load_checkpoint(name)


def test_name_like_nothing_lists_all():
    with pytest.raises(
        UnknownModelError, match=r"tiny-stories or tiny-llama or gpt2 or .*gpt2-xl"
    ):
        check_name("zzz")


def test_a_file_is_no_model(folder):
    with pytest.raises(UnknownModelError, match="is a file: give the folder"):
        check_name(str(folder / "model.safetensors"))


def test_known_name_wins_over_a_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "tiny-stories").mkdir()
    assert load_checkpoint("tiny-stories").config.n_positions != POSITIONS
    assert "has no config.json" in sentence(folder / "tiny-stories")
