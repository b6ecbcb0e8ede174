"""Names of models, and config.json as other programs and people write it."""

import pytest

from gpt2.checkpoint.errors import UnknownModelError
from gpt2.checkpoint.loading import check_name, find_folder, load_checkpoint
from tests.own.gpt2.samples import POSITIONS, sentence, write_config


def test_a_path_from_home(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    check_name(f"~/{folder.name}")
    loaded = load_checkpoint(f"~/{folder.name}")
    assert loaded.config.n_positions == POSITIONS


def test_a_name_on_the_hub(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr("gpt2.checkpoint.loading.download", lambda name: name)
    assert find_folder("openai-community/gpt2-xl") == "gpt2-xl"
    (folder / "openai-community" / "gpt2-xl").mkdir(parents=True)
    assert str(find_folder("openai-community/gpt2-xl")) == "openai-community/gpt2-xl"
    words = "first get it with: hf download distilbert/distilgpt2 --local-dir FOLDER"
    with pytest.raises(UnknownModelError, match=words):
        check_name("distilbert/distilgpt2")


def test_a_name_that_no_file_may_have():
    with pytest.raises(UnknownModelError, match="there is no model and no folder"):
        check_name("a" * 5000)


# config.json


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_files_from_windows(folder, start):
    for file in ("config.json", "tokenizer.json"):
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(start + content.replace(b"\n", b"\r\n"))
    assert load_checkpoint(str(folder)).config.n_positions == POSITIONS


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": ..., "architectures": ["GPT2LMHeadModel"]},
        {"n_embd": ..., "hidden_size": 12, "n_head": ..., "num_attention_heads": 3},
        {"n_positions": ..., "max_position_embeddings": POSITIONS, "n_ctx": 9},
        {"n_layer": ..., "num_hidden_layers": 2, "quantization_config": None},
    ],
)
def test_other_ways_to_say_the_same(folder, changes):
    write_config(folder, **changes)
    assert load_checkpoint(str(folder)).config.n_positions == POSITIONS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": ..., "architectures": ["LlamaForCausalLM"]}, "of type None"),
        ({"model_type": "gpt_neo"}, "of type 'gpt_neo'"),
        ({"quantization_config": {"load_in_8bit": True}}, "has quantization_config"),
    ],
)
def test_config_of_another_model(folder, changes, words):
    write_config(folder, **changes)
    assert words in sentence(folder)


@pytest.mark.parametrize(
    "name",
    ["gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate", "gelu_fast"],
)
def test_names_of_the_gelu_by_tanh(folder, name):
    write_config(folder, activation_function=name)
    assert load_checkpoint(str(folder)).config.n_positions == POSITIONS


@pytest.mark.parametrize(
    "name", ["gelu", "gelu_python", "gelu_10", "quick_gelu", "relu", "silu", None]
)
def test_names_of_other_functions(folder, name):
    write_config(folder, activation_function=name)
    assert f"has activation_function = {name!r}" in sentence(folder)


def test_config_without_end(folder):
    (folder / "config.json").write_text("[" * 100_000)
    assert "config.json is not valid JSON" in sentence(folder)
