"""Downloads OpenAI's GPT-2, in four sizes, from the Hugging Face hub."""

import errno
import os
from collections.abc import Iterator
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
    from huggingface_hub import constants
    from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

    causes = list(_causes(error))
    told = " ".join(map(str, causes))
    if os.strerror(errno.ENOSPC) in told:  # Python and Rust use the same text
        return (
            f"the disk is full: make room for {name} under {constants.HF_HUB_CACHE}, "
            "or set HF_HOME to a folder elsewhere, and run this again; the download "
            "continues where it stopped"
        )
    if status := next(filter(None, map(_status, causes)), None):
        return _refused(name, status, constants.ENDPOINT)
    if "CERTIFICATE_VERIFY_FAILED" in told:
        return (
            f"{name} cannot be downloaded: the certificate of {constants.ENDPOINT} is "
            "not trusted; behind a proxy, set SSL_CERT_FILE to the proxy's certificate"
        )
    if any(isinstance(cause, JSONDecodeError) for cause in causes):
        return (
            f"{name} cannot be downloaded: {constants.ENDPOINT} answers with a page; "
            "log in to the network if it asks for that"
        )
    if isinstance(error, (IncompleteSnapshotError, LocalEntryNotFoundError)):
        return (
            f"{name} is not complete in the cache ({constants.HF_HUB_CACHE}) and "
            f"{_why_no_hub()}, or use --model tiny-stories, which needs none"
        )
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{name} cannot be downloaded ({reason}); run this again to continue"


def _why_no_hub() -> str:
    """Returns why the hub cannot be asked, and what helps."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE forbids downloads: unset it"
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    also = " and the proxy in HTTPS_PROXY" if proxy else ""  # it may have a password
    return f"{constants.ENDPOINT} cannot be reached: check the network{also}"


def _refused(name: str, status: int, endpoint: str) -> str:
    """Returns one sentence on an answer with an HTTP status that is an error."""
    advice = {
        401: "check HF_TOKEN, or unset it",
        403: "check HF_TOKEN, or unset it",
        404: "check HF_ENDPOINT, or unset it",
    }.get(status, "try again later")
    return f"{name} cannot be downloaded: {endpoint} answers with {status}; {advice}"


def _status(error: BaseException) -> int | None:
    """Returns the HTTP status of an error that has one."""
    return getattr(getattr(error, "response", None), "status_code", None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an error and the errors behind it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
