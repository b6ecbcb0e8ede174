"""Loads a trained model's sizes, weights and tokenizer from a folder.

The folder has Hugging Face's format: config.json, the weights in safetensors, and
tokenizer.json or vocab.json with merges.txt.
"""

import os
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from gpt2.checkpoint.configuration import read_config
from gpt2.checkpoint.errors import CheckpointError, UnknownModelError
from gpt2.checkpoint.hub import REPOSITORIES, download
from gpt2.checkpoint.llama import is_llama
from gpt2.checkpoint.safetensors_files import read_weights
from gpt2.checkpoint.tokenizer import Tokenizer, load_tokenizer
from gpt2.checkpoint.weights import convert_weights, count_parameters, without_rows
from solutions.solution_01 import GPT2Config

SHORT = {repository: name for name, repository in REPOSITORIES.items()}
FOLDER = Path(__file__).parents[2] / "checkpoints"
EMBEDDED = {name: FOLDER / name for name in ("tiny-stories", "tiny-llama")}


@dataclass(frozen=True)
class Checkpoint:
    """A trained model: name, sizes, weights and tokenizer."""

    name: str
    config: GPT2Config
    weights: dict[str, np.ndarray]  # names as in the model's class
    tokenizer: Tokenizer

    @property
    def is_llama(self) -> bool:
        """Whether this is a Llama; otherwise it is a GPT-2."""
        return is_llama(self.config)


def need_gpt2(checkpoint: Checkpoint, what: str) -> None:
    """Raises ``CheckpointError`` if a model is a Llama, which ``what`` cannot use."""
    if checkpoint.is_llama:
        raise CheckpointError(f"{checkpoint.name} is a Llama, and {what} needs a GPT-2")


def load_checkpoint(name_or_path: str) -> Checkpoint:
    """Loads a model by name, with a download if needed, or from a folder.

    Raises:
        UnknownModelError: the argument is neither a known name nor a folder.
        CheckpointError: the model cannot be downloaded or used, or is too large for
            this machine's memory.
    """
    folder = find_folder(name_or_path)
    try:
        return _read(name_or_path, folder)
    except OSError as error:
        path = error.filename or folder
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    except MemoryError as error:
        raise CheckpointError(f"no memory is left for the model in {folder}") from error


def _read(name: str, folder: Path) -> Checkpoint:
    """Reads all files of a checkpoint.

    Rows past the tokenizer's last token, which only make a size rounder, are no tokens
    here: nothing can choose them.
    """
    config = read_config(folder / "config.json")
    _check_memory(config, folder)
    tokenizer = load_tokenizer(folder, config.vocab_size)
    weights = convert_weights(read_weights(folder), config)
    if tokenizer.size < config.vocab_size:
        config = replace(config, vocab_size=tokenizer.size)
        weights = without_rows(weights, config)
    return Checkpoint(name, config, weights, tokenizer)


def _check_memory(config: GPT2Config, folder: Path) -> None:
    """Raises ``CheckpointError`` if the weights are larger than the memory."""
    needed = 4 * count_parameters(config)  # bytes
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > memory:
        raise CheckpointError(
            f"the model in {folder} needs {needed / 2**30:.1f} GiB for its weights, "
            f"and this machine has {memory / 2**30:.1f} GiB of memory"
        )


def find_folder(name_or_path: str) -> Path:
    """Returns a model's folder, after a download if needed.

    Raises:
        UnknownModelError: the argument is neither a known name nor a folder.
        CheckpointError: the model cannot be downloaded.
    """
    check_name(name_or_path)
    path = Path(name_or_path).expanduser()
    if name_or_path in EMBEDDED:
        return EMBEDDED[name_or_path]
    if name_or_path in REPOSITORIES:
        return download(name_or_path)
    return path if path.is_dir() else download(SHORT[name_or_path])


def check_name(name_or_path: str) -> None:
    """Raises ``UnknownModelError`` unless a model or a folder has that name.

    A known name has priority over a folder of that name; ``./gpt2`` means the folder.
    A name on the hub, such as ``openai-community/gpt2``, has none.
    """
    known = [*EMBEDDED, *REPOSITORIES]
    path = os.path.expanduser(name_or_path)  # os.path answers for any text
    if name_or_path in [*known, *SHORT] or os.path.isdir(path):
        return
    if os.path.exists(path):
        raise UnknownModelError(f"{name_or_path} is a file: give the folder it is in")
    if re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", name_or_path):
        raise UnknownModelError(
            f"there is no folder {name_or_path!r}; if this is a model's name on the "
            f"hub, first get it with: hf download {name_or_path} --local-dir FOLDER"
        )
    likely = get_close_matches(name_or_path, known, cutoff=0.5) or known
    raise UnknownModelError(
        f"there is no model and no folder called {name_or_path!r}; did you mean "
        f"{' or '.join(likely)}?"
    )
