"""A checkpoint's config.json, read into the course's ``GPT2Config``."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from gpt2.checkpoint.contents import is_there, unreadable
from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.other_files import why_no_config
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
    """Reads config.json; a missing size has the value of the smallest GPT-2.

    Raises:
        CheckpointError: the model is not a GPT-2, is a variant that the course does
            not build, or has impossible sizes.
    """
    if not is_there(path):
        raise CheckpointError(why_no_config(path.parent))
    settings = read_json(path)
    _check_kind(settings, path)
    for name, synonym in SYNONYMS.items():
        settings.setdefault(name, settings.get(synonym))
    names = {field.name for field in fields(GPT2Config)}
    sizes = {key: settings[key] for key in names if settings.get(key) is not None}
    config = GPT2Config(**sizes)
    _check_sizes(config, path)
    if "n_inner" not in sizes:  # GPT-2's size of the hidden layer
        config = replace(config, n_inner=4 * config.n_embd)
    return config


def _check_kind(settings: dict[str, Any], path: Path) -> None:
    """Raises ``CheckpointError`` unless the settings describe the course's GPT-2."""
    kind = settings.get("model_type")
    if kind is None and "GPT2" in str(settings.get("architectures")):
        kind = "gpt2"  # files of 2019 have no model_type
    if kind != "gpt2":
        raise CheckpointError(
            f"{path} describes a model of type {kind!r}: only 'gpt2' can be used"
        )
    for key, supported in SUPPORTED.items():
        if settings.get(key, supported[0]) not in supported:
            raise CheckpointError(
                f"{path} has {key} = {settings[key]!r}: the GPT-2 of this course "
                f"needs {supported[0]!r}"
            )


def _check_sizes(config: GPT2Config, path: Path) -> None:
    """Raises ``CheckpointError`` for an impossible size."""
    for name, kind in get_type_hints(GPT2Config).items():
        value = getattr(config, name)
        number = isinstance(value, kind) and math.isfinite(value) and value > 0
        if isinstance(value, bool) or not number:
            raise CheckpointError(
                f"{path} has {name} = {value!r}: it must be a positive {kind.__name__}"
            )
    if config.n_embd % config.n_head:
        raise CheckpointError(
            f"{path} has n_embd = {config.n_embd}, which n_head = {config.n_head} "
            "does not divide"
        )
