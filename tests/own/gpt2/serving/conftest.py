"""Fixtures for the server's tests: the embedded model and a server on loopback."""

import signal
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner

from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from tests.own.gpt2.serving.running import BATCH, MODEL, QUEUE, WatchedServer
from tests.own.packages import needed

NOBODY = "127.0.0.1:9"  # no program answers there
# What a shell, a cluster or an office may have set. None of it is meant for the server.
HOSTILE = {
    "RAY_ADDRESS": NOBODY,
    "RAY_NAMESPACE": "somebody",
    "RAY_AUTH_MODE": "disabled",
    "RAY_JOB_CONFIG_JSON_ENV_VAR": "{",
    "RAY_RUNTIME_ENV_HOOK": "no.such.hook",
    "RAY_TMPDIR": "/no/such/folder",
    "http_proxy": f"http://{NOBODY}",
    "https_proxy": f"http://{NOBODY}",
    "grpc_proxy": f"http://{NOBODY}",
}


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
def api(checkpoint, engine) -> Iterator[Any]:
    """A client of the application, in this process and without Ray."""
    testing = needed("fastapi.testclient")
    needed("prometheus_client")
    from gpt2.serving.api import make_app
    from gpt2.serving.scheduler import Scheduler

    scheduler = Scheduler(engine, checkpoint.tokenizer, batch=8, queue=400)
    app = make_app(checkpoint, scheduler)
    with testing.TestClient(app, raise_server_exceptions=False) as client:
        yield client
    scheduler.close()


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
def server(tmp_path_factory) -> Iterator[WatchedServer]:
    """Runs a server with a small batch and queue, in another cluster's environment."""
    folder = tmp_path_factory.mktemp("temporary" * 10)
    running = WatchedServer(
        *("--batch", str(BATCH), "--queue", str(QUEUE)),
        environment=HOSTILE | {"TMPDIR": str(folder)},
    )
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGTERM)
