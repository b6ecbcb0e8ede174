"""A model's files: config.json, model.safetensors and tokenizer.json."""

import json
from pathlib import Path
from typing import Any

import torch
from llama import Llama
from model import GPT2, Shape
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

type Model = GPT2 | Llama
KINDS: dict[str, type[GPT2] | type[Llama]] = {kind.kind: kind for kind in (GPT2, Llama)}


def save(model: Model, folder: Path, *, dtype: torch.dtype = torch.float16) -> None:
    """Writes config.json and model.safetensors; 16-bit weights halve the file."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(config(model, dtype), indent=2) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")
    tensors = {
        f"{model.prefix}{name}": transposed(name, p).to(dtype).contiguous()
        for name, p in model.state_dict().items()
    }
    # Whoever stops the program now keeps the file from before.
    partial = folder / "model.safetensors.partial"
    save_file(tensors, partial, metadata={"format": "pt"})
    partial.replace(folder / "model.safetensors")


class ModelError(ValueError):
    """A folder has no such model; the message goes on after the folder's name."""


def load(folder: Path, dropout: float = 0.0) -> Model:
    """Reads what ``save`` has written.

    Raises:
        ModelError: the folder has something else.
    """
    try:
        stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = KINDS[stored["model_type"]]
        sizes = {field: stored[name] for field, name in kind.sizes.items()}
        model, tensors = kind(Shape(**sizes), dropout), load_weights(folder, kind)
        model.load_state_dict(tensors)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError("has no model that this program has made") from error
    return model.eval()


def load_weights(folder: Path, kind: type[GPT2] | type[Llama]) -> dict[str, Tensor]:
    """Reads the weights, with the names and shapes of the model."""
    stored = load_file(folder / "model.safetensors")
    named = {name.removeprefix(kind.prefix): p for name, p in stored.items()}
    return {name: transposed(name, p) for name, p in named.items()}


def load_tokenizer(folder: Path) -> Tokenizer:
    """Reads a model's tokenizer.

    Raises:
        ModelError: the folder has none.
    """
    try:
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises nothing more specific
        raise ModelError("has no tokenizer.json that can be read") from error


def transposed(name: str, p: Tensor) -> Tensor:
    """Transposes a matrix of one of GPT-2's blocks, ``h``.

    Hugging Face's class ``Conv1D`` keeps it as ``[in, out]``, PyTorch's ``Linear`` as
    ``[out, in]``. In a Llama it is a ``Linear`` everywhere.
    """
    return p.T if name.startswith("h.") and p.dim() == 2 else p


def config(model: Model, dtype: torch.dtype) -> dict[str, Any]:
    """The content of config.json."""
    return {
        "architectures": [model.architecture],
        "model_type": model.kind,
        **{name: getattr(model.shape, field) for field, name in model.sizes.items()},
        **model.settings(),
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "dtype": str(dtype).removeprefix("torch."),
    }
