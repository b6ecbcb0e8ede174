"""The hub, without a network: the messages of failed downloads."""

import errno
import os
from json import JSONDecodeError
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

from gpt2.checkpoint.loading import load_checkpoint
from tests.own.gpt2.samples import CHANNELS, sentence


@pytest.fixture
def hub(monkeypatch):
    """Lets a test choose the result of a download."""

    def download(outcome):
        def snapshot_download(repo, allow_patterns):
            assert repo == "openai-community/gpt2-xl"
            assert not any("bin" in pattern for pattern in allow_patterns)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)

    return download


def test_downloaded_model_loads(hub, folder):
    hub(str(folder))
    checkpoint = load_checkpoint("gpt2-xl")
    assert checkpoint.name == "gpt2-xl"
    assert checkpoint.config.n_embd == CHANNELS


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (LocalEntryNotFoundError("Got: ConnectError\nmore"), "check the network"),
        (IncompleteSnapshotError("3 files", snapshot_path="/hub"), "check the network"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x"), "the disk is full"),
        (RuntimeError("No space left on device (os error 28)"), "the disk is full"),
        (PermissionError(13, "Permission denied", "/hub"), "Permission denied: '/hub'"),
        (RuntimeError("peer reset\nlong story"), "(peer reset); run this again"),
        (ValueError(), "(ValueError)"),
    ],
)
def test_failed_download_is_one_sentence(hub, error, words):
    hub(error)
    assert words in sentence("gpt2-xl")
    assert "gpt2-xl" in sentence("gpt2-xl")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "answers with 401; check HF_TOKEN"),
        (403, "answers with 403; check HF_TOKEN"),
        (404, "answers with 404; check HF_ENDPOINT"),
        (429, "answers with 429; try again later"),
        (503, "answers with 503; try again later"),
    ],
)
def test_answer_of_the_hub_is_named(hub, status, words):
    refused = OSError("long story")
    refused.response = SimpleNamespace(status_code=status)
    error = LocalEntryNotFoundError("no connection")
    error.__cause__ = refused
    hub(error)
    assert words in sentence("gpt2-xl")


def test_untrusted_certificate(hub):
    error = LocalEntryNotFoundError("no connection")
    error.__cause__ = OSError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")
    hub(error)
    assert "set SSL_CERT_FILE to the proxy's certificate" in sentence("gpt2-xl")


def test_offline_mode_is_named(hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    hub(LocalEntryNotFoundError("offline"))
    assert "HF_HUB_OFFLINE forbids downloads: unset it" in sentence("gpt2-xl")


def test_proxy_and_endpoint_are_named(hub, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy:3128")
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "https://mirror")
    hub(LocalEntryNotFoundError("Got: ConnectError"))
    words = (
        "https://mirror cannot be reached: check the network and the proxy in HTTPS_"
    )
    assert words in sentence("gpt2-xl")
    assert "secret" not in sentence("gpt2-xl")


def test_a_page_instead_of_the_hub(hub):
    hub(JSONDecodeError("Expecting value", "<html>", 0))
    assert "answers with a page; log in to the network" in sentence("gpt2-xl")
