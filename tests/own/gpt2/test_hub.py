"""The hub, without a network: the messages of failed downloads."""

import errno
import os

import huggingface_hub
import pytest
from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.loading import load_checkpoint
from tests.own.gpt2.samples import (
    CHANNELS,
)


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
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint("gpt2-xl")
    assert words in str(caught.value)
    assert "gpt2-xl" in str(caught.value)
    assert "\n" not in str(caught.value)
