"""A checkpoint's config.json, read into ``GPT2Config`` or ``LlamaConfig``."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gpt2.checkpoint.contents import is_there, unreadable
from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.llama import llama_config
from gpt2.checkpoint.other_files import why_no_config
from gpt2.checkpoint.sizes import check_sizes, check_supported
from solutions.solution_01 import GPT2Config

# The course builds one variant of GPT-2. A missing key stands for the first value here.
SUPPORTED = {
    "activation_function": (  # transformers has one function under five names
        "gelu_new",
        "gelu_pytorch_tanh",
        "gelu_python_tanh",
        "gelu_accurate",
        "gelu_fast",
    ),
    "tie_word_embeddings": (True,),
    "add_cross_attention": (False,),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "reorder_and_upcast_attn": (False,),
    "quantization_config": (None,),
}
SYNONYMS = {  # transformers reads these too
    "n_positions": "max_position_embeddings",
    "n_embd": "hidden_size",
    "n_layer": "num_hidden_layers",
    "n_head": "num_attention_heads",
}


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        CheckpointError: the file is missing, unreadable, or not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:  # bad JSON and bad UTF-8
        bad = f"{path} is not valid JSON ({error}): get the file again"
        raise unreadable(path, bad) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} does not hold a JSON object: get it again")
    return content


def read_config(path: Path) -> GPT2Config:
    """Reads config.json; a Llama's becomes a ``LlamaConfig``, which is one with more.

    Raises:
        CheckpointError: the model is neither a GPT-2 nor a Llama, is a variant that the
            course does not build, or has impossible sizes.
    """
    if not is_there(path):
        raise CheckpointError(why_no_config(path.parent))
    settings = read_json(path)
    kind = settings.get("model_type")
    if kind is None and "GPT2" in str(settings.get("architectures")):
        kind = "gpt2"  # files of 2019 have no model_type
    if kind not in READERS:
        raise CheckpointError(
            f"{path} describes a model of type {kind!r}: only 'gpt2' and 'llama' can "
            "be used"
        )
    return READERS[kind](settings, path)


def gpt2_config(settings: dict[str, Any], path: Path) -> GPT2Config:
    """Returns the sizes of a GPT-2; a missing size has that of the smallest.

    Raises:
        CheckpointError: it is a variant that the course does not build, or has
            impossible sizes.
    """
    check_supported(settings, SUPPORTED, "GPT-2", path)
    for name, synonym in SYNONYMS.items():
        settings.setdefault(name, settings.get(synonym))
    names = {field.name for field in fields(GPT2Config)}
    sizes = {key: settings[key] for key in names if settings.get(key) is not None}
    config = GPT2Config(**sizes)
    check_sizes(config, path)
    if "n_inner" not in sizes:  # GPT-2's size of the hidden layer
        config = replace(config, n_inner=4 * config.n_embd)
    return config


READERS = {"gpt2": gpt2_config, "llama": llama_config}
