"""Reads safetensors files into arrays that the models can load."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from gpt2.checkpoint.configuration import read_json
from gpt2.checkpoint.errors import CheckpointError
from solutions.solution_01 import GPT2Config

STORED = {
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # the upper half of a float32; NumPy has no name for it
    "BOOL": "?",  # BOOL and U8: attention masks in old files, dropped below
    "U8": "u1",
}
MASKS = (".attn.bias", ".attn.masked_bias")
# GPT-2's Conv1D layers store [in, out]; MAX's Linear needs [out, in].
TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """Reads all tensors of a checkpoint, unchanged, from one or several files.

    Raises:
        CheckpointError: a file is missing, damaged, or of an unsupported kind.
    """
    single, index = (
        folder / "model.safetensors",
        folder / "model.safetensors.index.json",
    )
    if single.is_file():
        return read_safetensors(single)
    if not index.is_file():
        raise CheckpointError(_why_no_weights(folder))
    shards = read_json(index).get("weight_map")
    if not isinstance(shards, dict):
        raise CheckpointError(f"{index} has no weight_map: get the file again")
    tensors: dict[str, np.ndarray] = {}
    for shard in sorted(set(shards.values())):
        tensors |= read_safetensors(folder / shard)
    return tensors


def _why_no_weights(folder: Path) -> str:
    """Returns one sentence; for a pickle, the sentence says how to convert it."""
    if not any(folder.glob("pytorch_model*.bin")):
        return f"{folder} has no model.safetensors, so there are no weights to load"
    return (
        f"{folder} has its weights in a pickle (pytorch_model.bin), which could run "
        "any code and is never opened here; convert it where you trust it, with "
        f'transformers: GPT2LMHeadModel.from_pretrained("{folder}")'
        '.save_pretrained("NEW_FOLDER")'
    )


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Maps one file's tensors into memory; bfloat16 becomes float32.

    Format: https://huggingface.co/docs/safetensors (8 bytes with the header's length,
    the header in JSON, the data).
    """
    try:
        with safe_open(path, framework="np"):
            pass  # the library checks the header, the offsets and the file's length
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing: get the file again") from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is damaged or cut short ({error}): get the file again"
        ) from error
    data = np.memmap(path, dtype=np.uint8, mode="r")
    start = 8 + int.from_bytes(data[:8].tobytes(), "little")
    header = json.loads(data[8:start].tobytes())
    header.pop("__metadata__", None)
    return {
        name: _tensor(path, name, data[start:], **entry)
        for name, entry in header.items()
    }


def _tensor(
    path: Path,
    name: str,
    data: np.ndarray,
    dtype: str,
    shape: list[int],
    data_offsets: list[int],
) -> np.ndarray:
    """Returns a view of one tensor in a file's data; bfloat16 is copied."""
    if dtype not in STORED:
        raise CheckpointError(
            f"{path} stores {name} as {dtype}: only float32 (F32), float16 (F16) and "
            "bfloat16 (BF16) weights can be used"
        )
    array = data[slice(*data_offsets)].view(STORED[dtype]).reshape(shape)
    if dtype == "BF16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array


def parameter_shapes(config: GPT2Config) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every parameter, by name, as checkpoints store it."""
    channels, inner = config.n_embd, config.n_inner
    shapes = {
        "transformer.wte.weight": (config.vocab_size, channels),
        "transformer.wpe.weight": (config.n_positions, channels),
        **_layer("transformer.ln_f", channels),
    }
    for number in range(config.n_layer):
        block = f"transformer.h.{number}"
        shapes |= _layer(f"{block}.ln_1", channels)
        shapes |= _layer(f"{block}.attn.c_attn", channels, 3 * channels)
        shapes |= _layer(f"{block}.attn.c_proj", channels, channels)
        shapes |= _layer(f"{block}.ln_2", channels)
        shapes |= _layer(f"{block}.mlp.c_fc", channels, inner)
        shapes |= _layer(f"{block}.mlp.c_proj", inner, channels)
    return shapes


def _layer(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of a layer's weight and bias."""
    return {f"{name}.weight": shape, f"{name}.bias": shape[-1:]}


def convert_weights(
    tensors: Mapping[str, np.ndarray], config: GPT2Config
) -> dict[str, np.ndarray]:
    """Turns a checkpoint's tensors into the parameters of ``MaxGPT2LMHeadModel``.

    Args:
        tensors: by name, with or without the prefix ``transformer.``; not changed.
        config: the sizes that the shapes must match.

    Returns:
        New, contiguous float32 arrays; linear weights are ``[out, in]``.

    Raises:
        CheckpointError: tensors are missing, unknown or of another shape, or the head
            differs from the token embedding.
    """
    named = {_full_name(name): tensor for name, tensor in tensors.items()}
    named = {name: x for name, x in named.items() if not name.endswith(MASKS)}
    head = named.pop("lm_head.weight", None)
    _check(named, parameter_shapes(config))
    if head is not None and not np.array_equal(head, named["transformer.wte.weight"]):
        raise CheckpointError(
            "the head (lm_head.weight) differs from the token embedding (wte.weight): "
            "a GPT-2 of this course uses one for both, so this model cannot be used"
        )
    return {
        name: np.array(x.T if name.endswith(TRANSPOSED) else x, np.float32, order="C")
        for name, x in named.items()
    }


def _full_name(name: str) -> str:
    """Adds the prefix ``transformer.`` that some checkpoints leave out."""
    bare = not name.startswith(("transformer.", "lm_head."))
    return f"transformer.{name}" if bare else name


def _check(
    tensors: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Raises ``CheckpointError`` unless all names and shapes are as expected."""
    for problem, names in {
        "lacks these tensors, which config.json asks for": shapes.keys() - tensors,
        "has these tensors, which config.json has no use for": tensors.keys() - shapes,
    }.items():
        if names:
            shown = ", ".join(sorted(names)[:3]) + (", …" if len(names) > 3 else "")
            raise CheckpointError(
                f"the checkpoint {problem}: {shown} ({len(names)} in all); the two "
                "have to come from the same model"
            )
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise CheckpointError(
                f"{name} has shape {list(tensors[name].shape)} where config.json asks "
                f"for {list(shape)}; both have to come from the same model"
            )
