"""Downloads OpenAI's GPT-2, in four sizes, from the Hugging Face hub."""

import errno
import os
from collections.abc import Iterator, Sequence
from json import JSONDecodeError
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
LATER = "try again later"
ADVICE = {
    401: "check HF_TOKEN, or unset it",
    403: "check HF_TOKEN, or unset it",
    404: "check HF_ENDPOINT, or unset it",
}


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

    if os.strerror(errno.ENOSPC) in str(error):  # Python and Rust use the same text
        return (
            f"the disk is full: make room for {name} under {HF_HUB_CACHE} (or set "
            "HF_HOME to a folder elsewhere) and run this again; the download "
            "continues where it stopped"
        )
    if answer := _wrong_answer(list(_causes(error))):
        return f"{name} cannot be downloaded: {answer}"
    if _is_no_answer(error):
        return (
            f"{name} is not complete in the cache ({HF_HUB_CACHE}) and "
            f"{_why_no_answer()}, or use --model tiny-stories, which needs none"
        )
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{name} cannot be downloaded ({reason}); run this again to continue"


def _wrong_answer(causes: Sequence[BaseException]) -> str | None:
    """Returns what the hub answered instead of a model, and what helps; else None."""
    from huggingface_hub.constants import ENDPOINT

    for status in filter(None, map(_status, causes)):
        return f"{ENDPOINT} answers with {status}; {ADVICE.get(status, LATER)}"
    if any(isinstance(cause, JSONDecodeError) for cause in causes):
        return (
            f"{ENDPOINT} answers with a page; log in to the network if it asks for that"
        )
    if any("CERTIFICATE_VERIFY_FAILED" in str(cause) for cause in causes):
        return (
            f"the certificate of {ENDPOINT} is not trusted; behind a proxy, set "
            "SSL_CERT_FILE to the proxy's certificate"
        )
    return None


def _is_no_answer(error: Exception) -> bool:
    """Whether the hub cannot be reached and the cache does not have the model."""
    from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

    return isinstance(error, (IncompleteSnapshotError, LocalEntryNotFoundError))


def _why_no_answer() -> str:
    """Returns why the hub does not answer, and what helps."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE forbids downloads: unset it"
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    also = " and the proxy in HTTPS_PROXY" if proxy else ""  # it may have a password
    return f"{constants.ENDPOINT} cannot be reached: check the network{also}"


def _status(error: BaseException) -> int | None:
    """Returns the HTTP status of an error that has one."""
    return getattr(getattr(error, "response", None), "status_code", None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an error and the errors behind it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
