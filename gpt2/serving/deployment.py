"""Runs schedulers in separate processes with Ray Serve, on one or more machines.

No other file uses Ray. https://docs.ray.io/en/releases-2.60.0/serve/
"""

import logging
import os
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Ray reads these variables when it is imported, and so do the processes it starts.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"  # silences a warning
os.environ.setdefault("RAY_AUTH_MODE", "token")  # only this program may start processes
os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # no `uv run` in each process
os.environ["RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD"] = "0"  # needs no thread
os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's default is a low priority

import ray
from ray import serve
from ray.serve.handle import DeploymentHandle, DeploymentResponseGenerator
from ray.serve.schema import LoggingConfig

from gpt2.checkpoint.loading import load_checkpoint
from gpt2.serving.scheduler import Scheduler
from gpt2.serving.text import Job, Piece

APP = "gpt2"
OBJECTS = 80 * 2**20  # bytes of shared memory, enough for pieces of text
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
        size: the sizes of the batch and the queue.
    """

    def __init__(self, model: str, size: Size) -> None:
        from gpt2.engine.engines import Engine

        keep_to_cores(serve.get_replica_context().rank.local_rank, size.cores)
        checkpoint = load_checkpoint(model)
        engine = Engine(checkpoint.config, checkpoint.weights)
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


@contextmanager
def running(model: str, size: Size, address: str | None) -> Iterator[Replicas]:
    """Starts the replicas, and stops them at the end.

    Args:
        model: the model's name or folder.
        size: the number of replicas and their sizes.
        address: a Ray cluster's address; None starts Ray on this machine only.
    """
    start(size, address)
    try:
        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        serve.start(proxy_location="Disabled", logging_config=LOGS)
        deployed = serve.deployment(
            name="Replica",
            num_replicas=size.replicas,
            # So high that Ray queues nothing: a full scheduler raises QueueFull.
            max_ongoing_requests=4 * (size.batch + size.queue),
            ray_actor_options={"num_cpus": size.cores if address else 0},
            health_check_period_s=1,
            graceful_shutdown_timeout_s=1,
            logging_config=LOGS,
        )
        application = deployed(Replica).bind(model, size)
        yield Replicas(serve.run(application, name=APP, route_prefix=None))
    finally:
        if address:
            serve.delete(APP)
        ray.shutdown()


def start(size: Size, address: str | None) -> None:
    """Joins a cluster, or starts Ray for this machine only."""
    quiet: Any = dict(log_to_driver=False, logging_level="ERROR")
    if address:
        ray.init(address=address, **quiet)
        return
    ray.init(
        include_dashboard=False,
        object_store_memory=OBJECTS,
        _node_ip_address="127.0.0.1",
        **quiet,
    )
