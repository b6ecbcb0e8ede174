"""``gpt2 serve``: serves the model to other programs over HTTP."""

import asyncio
import errno
import os
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from course.commands import typed_with
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint, need_gpt2
from gpt2.commands.command import Command
from gpt2.commands.options import MODEL_NAME, WEIGHTS
from gpt2.commands.terminal import note
from gpt2.engine.precision import Precision

if TYPE_CHECKING:
    from fastapi import FastAPI

    from gpt2.serving.deployment import Replicas

NEEDED = ("ray", "fastapi", "uvicorn", "prometheus_client")
INSTALL = f"the server is an extra: {typed_with('serve', 'gpt2 serve')}"


@click.command(cls=Command)
@MODEL_NAME
@WEIGHTS
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen at; any but this machine's own needs a key.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@click.option(
    "--replicas",
    metavar="N",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes with the model.",
)
@click.option(
    "--cores",
    metavar="N",
    type=click.IntRange(1, 1024),
    show_default="an equal share of all but one",
    help="Processor cores for each replica.",
)
@click.option(
    "--batch",
    metavar="N",
    type=click.IntRange(1, 256),
    default=32,
    show_default=True,
    help="Texts that a replica writes at once.",
)
@click.option(
    "--queue",
    metavar="N",
    type=click.IntRange(0, 100_000),
    default=128,
    show_default=True,
    help="Texts that may wait for a replica; more are refused.",
)
@click.option(
    "--api-key",
    envvar="GPT2_API_KEY",
    show_envvar=True,
    help="The key that clients must send.",
)
@click.option("--address", metavar="ADDRESS", help="Use this Ray cluster.")
def serve(
    model: str,
    precision: Precision,
    host: str,
    port: int,
    replicas: int,
    cores: int | None,
    batch: int,
    queue: int,
    api_key: str | None,
    address: str | None,
) -> None:
    """Serve a model: /v1/completions as OpenAI has it, /v1/models, /health, /metrics.

    Requests that arrive at the same time share one batch. Ctrl-C stops the server.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise click.ClickException(f"{missing[0]} is not installed; {INSTALL}.")
    api_key = checked_key(api_key)
    if not api_key and not is_loopback(host):
        raise click.UsageError(
            f"--host {host} lets other machines in: it needs --api-key, or the "
            "environment variable GPT2_API_KEY."
        )
    with listen(host, port) as listener:
        checkpoint = load_checkpoint(model)
        need_gpt2(checkpoint, "the server")
        compile_once(checkpoint, precision)
        size = (replicas, cores or share(replicas), batch, queue)
        with started(model, precision, size, address) as backend:
            from gpt2.serving.api import make_app

            app = make_app(checkpoint, backend, api_key)
            asyncio.run(answer(app, listener))


@contextmanager
def started(
    model: str,
    precision: Precision,
    size: tuple[int, int, int, int],
    address: str | None,
) -> Iterator["Replicas"]:
    """Starts the replicas; raises ``click.ClickException`` if they do not start."""
    from gpt2.serving import ray_environment
    from gpt2.serving.apart import apart, at_signals, end_at_once, leave

    ray_environment.prepare(address)
    from gpt2.serving import deployment  # takes seconds

    with TemporaryDirectory(
        prefix="gpt2-", dir=ray_environment.short_folder(), ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        ending = leave if address else end_at_once(folder)
        at_signals(ending)
        replicas = deployment.running(
            model, precision, deployment.Size(*size), address, folder
        )
        try:
            with apart(replicas) as backend:
                try:
                    yield backend
                finally:
                    at_signals(ending)
        except deployment.StartError as error:
            raise click.ClickException(f"{error}") from error


def share(replicas: int) -> int:
    """Returns the cores for each replica; one core stays free for the server."""
    return max(1, ((os.cpu_count() or 1) - 1) // replicas)


def checked_key(key: str | None) -> str | None:
    """Returns the key without spaces around it, which no client can send.

    Raises:
        click.UsageError: the key has characters that a header cannot have.
    """
    key = (key or "").strip()
    if not key.isprintable():
        raise click.UsageError("--api-key: a key has one line of visible characters.")
    return key or None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """Opens the port; raises ``click.ClickException`` if that fails."""
    host = host.removeprefix("[").removesuffix("]")  # around IPv6, as in a URL
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = (error.strerror or str(error)).lower().partition(" (while")[0]
        of_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        message = f"cannot listen at {host} port {port}: {reason}; try another "
        raise click.ClickException(
            message + ("--port" if of_port else "--host")
        ) from error
    # Without this, an answer's end waits 40 ms for the client's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def compile_once(checkpoint: Checkpoint, precision: Precision) -> None:
    """Compiles the model unless its graph is on disk; the replicas read that graph."""
    from max.driver import CPU

    from gpt2.engine.engines import Engine
    from gpt2.engine.graph_file import graph_path

    config, weights = checkpoint.config, checkpoint.weights
    if not graph_path(config, CPU(), precision).exists():
        Engine(config, weights, precision=precision, on_compile=note)


async def answer(app: "FastAPI", listener: socket.socket) -> None:
    """Answers requests until Ctrl-C or another signal that ends programs."""
    import uvicorn

    from gpt2.serving.apart import at_signals

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Generator[None]:
            yield  # uvicorn would raise the signals again at its end

    settings: Any = dict(log_config=None, access_log=False)
    config = uvicorn.Config(app, timeout_graceful_shutdown=2, **settings)
    server = Server(config)
    at_signals(server.handle_exit)
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    note(f"The model is served at http://{host}:{port}/v1 until you press Ctrl-C.")
    await server.serve([listener])
