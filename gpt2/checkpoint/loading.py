"""Loads a trained model's sizes, weights and tokenizer from a folder.

The folder has Hugging Face's format: config.json, the weights in safetensors, and
tokenizer.json or vocab.json with merges.txt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from gpt2.checkpoint.configuration import read_config
from gpt2.checkpoint.errors import CheckpointError, UnknownModelError
from gpt2.checkpoint.hub import REPOSITORIES, download
from gpt2.checkpoint.tokenizer import Tokenizer, load_tokenizer
from gpt2.checkpoint.weights import convert_weights, read_weights
from solutions.solution_01 import GPT2Config

EMBEDDED = {"tiny-stories": Path(__file__).parents[2] / "checkpoints" / "tiny-stories"}


@dataclass(frozen=True)
class Checkpoint:
    """A trained model: name, sizes, weights and tokenizer."""

    name: str
    config: GPT2Config
    weights: Mapping[str, np.ndarray]  # names as in ``MaxGPT2LMHeadModel``
    tokenizer: Tokenizer


def load_checkpoint(name_or_path: str) -> Checkpoint:
    """Loads a model by name, with a download if needed, or from a folder.

    Raises:
        UnknownModelError: the argument is neither a known name nor a folder.
        CheckpointError: the model cannot be downloaded or used.
    """
    check_name(name_or_path)
    if name_or_path in REPOSITORIES:
        folder = download(name_or_path)
    else:
        folder = EMBEDDED.get(name_or_path, Path(name_or_path))
    config, tokenizer = read_config(folder / "config.json"), load_tokenizer(folder)
    if tokenizer.size > config.vocab_size:
        raise CheckpointError(
            f"the tokenizer in {folder} has {tokenizer.size} tokens, but the model "
            f"only {config.vocab_size}: both have to come from the same model"
        )
    weights = convert_weights(read_weights(folder), config)
    return Checkpoint(name_or_path, config, weights, tokenizer)


def check_name(name_or_path: str) -> None:
    """Raises ``UnknownModelError`` unless a model or a folder has that name.

    A known name has priority over a folder of that name; ``./gpt2`` means the folder.
    """
    known = [*EMBEDDED, *REPOSITORIES]
    if name_or_path in known or Path(name_or_path).is_dir():
        return
    if Path(name_or_path).exists():
        raise UnknownModelError(f"{name_or_path} is a file: give the folder it is in")
    likely = get_close_matches(name_or_path, known, cutoff=0.5) or known
    raise UnknownModelError(
        f"there is no model and no folder called {name_or_path!r}; did you mean "
        f"{' or '.join(likely)}?"
    )
