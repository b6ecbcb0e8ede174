"""Runs schedulers in separate processes with Ray Serve, on one or more machines.

No other file uses Ray. Call ``ray_environment.prepare`` before the import. https://docs.ray.io/en/releases-2.60.0/serve/
"""

import logging
import os
import socket
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.serve.handle import DeploymentHandle, DeploymentResponseGenerator
from ray.serve.schema import LoggingConfig

from gpt2.checkpoint.loading import load_checkpoint
from gpt2.engine.precision import Precision
from gpt2.serving.apart import end_children
from gpt2.serving.scheduler import Scheduler
from gpt2.serving.text import Job, Piece

APP = "gpt2"
OBJECTS = 80 * 2**20  # bytes of shared memory, enough for pieces of text
TRIES = 3
LOGS = LoggingConfig(log_level="ERROR", enable_access_log=False)


@dataclass(frozen=True)
class Size:
    """The number of replicas, and the cores, batch and queue of each."""

    replicas: int
    cores: int
    batch: int
    queue: int


def keep_to_cores(rank: int, count: int) -> None:
    """Limits this process to ``count`` cores, different for each replica.

    MAX starts a thread for each core that it may use. These threads keep their cores
    busy while they wait, which would slow down the process that answers clients.
    """
    if sys.platform == "linux":  # macOS has no such call
        cores = sorted(os.sched_getaffinity(0), reverse=True)
        first = rank * count % len(cores)
        os.sched_setaffinity(0, (cores + cores)[first : first + count])


class Replica:
    """One process with the model.

    Args:
        model: the model's name or folder, the same on every machine.
        precision: how the engine keeps the matrices.
        size: the sizes of the batch and the queue.
    """

    def __init__(self, model: str, precision: Precision, size: Size) -> None:
        from gpt2.engine.engines import Engine

        keep_to_cores(serve.get_replica_context().rank.local_rank, size.cores)
        checkpoint = load_checkpoint(model)
        engine = Engine(checkpoint.config, checkpoint.weights, precision=precision)
        self._scheduler = Scheduler(
            engine, checkpoint.tokenizer, batch=size.batch, queue=size.queue
        )

    async def stream(self, job: Job, live: bool) -> AsyncGenerator[list[Piece]]:
        """Yields the pieces of ``Scheduler.stream``."""
        async for pieces in self._scheduler.stream(job, live):
            yield pieces

    def check_health(self) -> None:
        """Raises RuntimeError if the scheduler has ended; Ray then starts another."""
        if not self._scheduler.alive:
            raise RuntimeError("the scheduler's thread has ended")


class Replicas:
    """All replicas as one ``Backend``."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle.options(stream=True)

    async def stream(self, job: Job, live: bool) -> AsyncGenerator[list[Piece]]:
        """Yields the pieces of ``Scheduler.stream`` from a replica that Ray chooses."""
        response = self._handle.stream.remote(job, live)
        assert isinstance(response, DeploymentResponseGenerator)
        try:
            async for pieces in response:
                yield pieces
        finally:
            response.cancel()  # has no effect after the end


class StartError(Exception):
    """Ray or a replica did not start; the message says why."""


@contextmanager
def running(
    model: str, precision: Precision, size: Size, address: str | None, folder: Path
) -> Iterator[Replicas]:
    """Starts the replicas, and stops them at the end.

    Args:
        model: the model's name or folder.
        precision: how the engine keeps the matrices.
        size: the number of replicas and their sizes.
        address: a Ray cluster's address; None starts Ray on this machine only.
        folder: for the files of a Ray on this machine.

    Raises:
        StartError: Ray or a replica does not start, or no cluster answers.
    """
    with joined(address) if address else private(folder):
        try:
            on_cluster = address is not None
            yield Replicas(deployed(model, precision, size, on_cluster=on_cluster))
        finally:
            if address:
                serve.delete(APP)


def deployed(
    model: str, precision: Precision, size: Size, *, on_cluster: bool
) -> DeploymentHandle:
    """Starts the replicas; raises ``StartError`` if that fails."""
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    replica = serve.deployment(
        name="Replica",
        num_replicas=size.replicas,
        # So high that Ray queues nothing: a full scheduler raises QueueFull.
        max_ongoing_requests=4 * (size.batch + size.queue),
        ray_actor_options={"num_cpus": size.cores if on_cluster else 0},
        health_check_period_s=1,
        graceful_shutdown_timeout_s=1,
        logging_config=LOGS,
    )
    try:
        serve.start(proxy_location="Disabled", logging_config=LOGS)
        application = replica(Replica).bind(model, precision, size)
        return serve.run(application, name=APP, route_prefix=None)
    except Exception as error:
        raise StartError(f"the replicas did not start: {last_line(error)}") from error


@contextmanager
def private(folder: Path) -> Iterator[None]:
    """Runs Ray for this program alone, in a folder of its own.

    Ray would otherwise join a cluster that another program has started.
    """
    settings: Any = dict(include_dashboard=False, object_store_memory=OBJECTS)
    settings |= dict(_node_ip_address="127.0.0.1", _temp_dir=str(folder))
    for tries_left in reversed(range(TRIES)):
        try:
            initialize(address="local", **settings)
            break
        except StartError:  # on a busy machine Ray waits for itself too briefly
            end_children()
            if not tries_left:
                raise
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def joined(address: str) -> Iterator[None]:
    """Uses a cluster; raises ``StartError`` if nothing answers at the address."""
    host, _, port = address.rpartition(":")
    if port.isdecimal() and "/" not in host:  # else it is "auto" or a URL
        try:
            socket.create_connection((host.strip("[]"), int(port)), 5).close()
        except (OSError, OverflowError) as error:
            message = f"no Ray cluster answers at {address}: {error}"
            raise StartError(message) from error
    initialize(address=address)
    try:
        yield
    finally:
        ray.shutdown()


def initialize(**settings: Any) -> None:
    """Starts or joins Ray; raises ``StartError`` if that fails."""
    settings |= {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        ray.init(**settings)
    except Exception as error:
        ray.shutdown()
        raise StartError(f"Ray did not start: {last_line(error)}") from error


def last_line(error: Exception) -> str:
    """Returns the line of an error that says most; a remote one has a traceback."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip()
