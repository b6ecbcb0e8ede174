"""Fixtures for the server's tests: the embedded model and a server on loopback."""

import signal
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from click.testing import CliRunner

from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from tests.own.gpt2.serving.running import BATCH, MODEL, QUEUE, WatchedServer


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    """The embedded model."""
    return load_checkpoint(MODEL)


@pytest.fixture(scope="session")
def engine(checkpoint):
    """The embedded model, compiled."""
    from gpt2.engine.engines import Engine

    return Engine(checkpoint.config, checkpoint.weights)


@pytest.fixture(scope="session")
def command() -> Callable[..., str]:
    """Returns the text that ``gpt2 --greedy`` writes after a prompt."""
    from gpt2.commands.cli import continue_text

    @cache
    def write(prompt: str, count: int, *options: str) -> str:
        arguments = [prompt, "--greedy", "--max-new-tokens", str(count), *options]
        result = CliRunner().invoke(continue_text, arguments)
        assert result.exit_code == 0, result.stderr
        return result.stdout.removeprefix(prompt).removesuffix("\n")

    return write


@pytest.fixture(scope="session")
def server() -> Iterator[WatchedServer]:
    """Runs a server with a small batch and a small queue."""
    running = WatchedServer("--batch", str(BATCH), "--queue", str(QUEUE))
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGTERM)
