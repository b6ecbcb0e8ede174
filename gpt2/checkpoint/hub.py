"""Downloads OpenAI's GPT-2, in four sizes, from the Hugging Face hub."""

import errno
import os
from pathlib import Path

from gpt2.checkpoint.errors import CheckpointError

REPOSITORIES = {
    name: f"openai-community/{name}"
    for name in ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
}
FILES = [  # no pickles, and no copies of the weights for other frameworks
    "config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
]


def download(name: str) -> Path:
    """Downloads a model unless the hub's cache has it; returns its folder.

    An interrupted download continues where it stopped. A complete model in the cache
    needs no network.

    Raises:
        CheckpointError: the download fails, for example without a network or on a
            full disk.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(REPOSITORIES[name], allow_patterns=FILES))
    except Exception as error:  # three libraries with different errors
        raise CheckpointError(_explain(name, error)) from error


def _explain(name: str, error: Exception) -> str:
    """Returns one sentence: why the download failed and what helps."""
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

    if os.strerror(errno.ENOSPC) in str(error):  # Python and Rust use the same text
        return (
            f"the disk is full: make room for {name} under {HF_HUB_CACHE} (or set "
            "HF_HOME to a folder elsewhere) and run this again; the download "
            "continues where it stopped"
        )
    if isinstance(error, (IncompleteSnapshotError, LocalEntryNotFoundError)):
        return (
            f"{name} is not complete in the cache ({HF_HUB_CACHE}) and huggingface.co "
            "cannot be reached: check the network, or use --model tiny-stories, which "
            "needs none"
        )
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{name} cannot be downloaded ({reason}); run this again to continue"
