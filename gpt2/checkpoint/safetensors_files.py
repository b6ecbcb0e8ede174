"""Reads safetensors files into arrays, without copies where possible."""

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from gpt2.checkpoint.configuration import read_json
from gpt2.checkpoint.contents import begins_with_text, is_there, unreadable
from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.other_files import why_no_weights

STORED = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # the upper half of a float32; NumPy has no name for it
}
# Not parameters; old files have them: GPT-2's masks, and a Llama's frequencies.
CONSTANTS = (".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq")


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """Reads the parameters of a checkpoint, unchanged, from one or several files.

    Raises:
        CheckpointError: a file is missing, damaged, or of an unsupported kind.
    """
    single, index = (
        folder / "model.safetensors",
        folder / "model.safetensors.index.json",
    )
    if is_there(single):
        return read_safetensors(single)
    if not index.is_file():
        raise CheckpointError(why_no_weights(folder))
    shards = read_json(index).get("weight_map")
    if not isinstance(shards, dict) or not all(
        isinstance(shard, str) for shard in shards.values()
    ):
        raise CheckpointError(f"{index} has no weight_map: get the file again")
    tensors: dict[str, np.ndarray] = {}
    for shard in sorted(set(shards.values())):
        tensors |= read_safetensors(folder / shard)
    return tensors


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Maps one file's tensors into memory, except constants; bfloat16 becomes float32.

    Format: https://huggingface.co/docs/safetensors (8 bytes with the header's length,
    the header in JSON, the data).
    """
    try:
        with safe_open(path, framework="np"):
            pass  # the library checks the header, the offsets and the file's length
    except (SafetensorError, OSError) as error:
        raise _refused(path, error) from error
    data = np.memmap(path, dtype=np.uint8, mode="r")
    start = 8 + int.from_bytes(data[:8].tobytes(), "little")
    header = json.loads(data[8:start].tobytes())
    header.pop("__metadata__", None)
    return {
        name: _tensor(path, name, data[start:], **entry)
        for name, entry in header.items()
        if not name.endswith(CONSTANTS)
    }


def _refused(path: Path, error: Exception) -> CheckpointError:
    """Returns the error for a file that is no whole safetensors file."""
    if isinstance(error, SafetensorError) and (text := begins_with_text(path)):
        otherwise = f"is a text, not weights; it begins with {text!r}"
    else:
        otherwise = f"is damaged or cut short ({error}): get the file again"
    return unreadable(path, f"{path} {otherwise}")


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
            f"{path} stores {name} as {dtype}: only weights that are not quantized can "
            "be used, as float32 (F32), float16 (F16), bfloat16 (BF16) or F64"
        )
    array = data[slice(*data_offsets)].view(STORED[dtype]).reshape(shape)
    if dtype == "BF16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array
