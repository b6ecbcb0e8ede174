"""Ray Serve: schedulers in processes of their own, on one machine or on many.

Nothing else knows of Ray. https://docs.ray.io/en/releases-2.60.0/serve/
"""

import logging
import os
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Read when Ray is imported, and by the processes that it starts.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"  # silences a warning
os.environ.setdefault("RAY_AUTH_MODE", "token")  # nobody else may start processes
os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # `uv run` once, not per process
os.environ["RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD"] = "0"  # the scheduler has one
os.environ.setdefault("RAY_worker_niceness", "0")  # the model is what this is for

import ray
from ray import serve
from ray.serve.handle import DeploymentHandle, DeploymentResponseGenerator
from ray.serve.schema import LoggingConfig

from gpt2.checkpoint.loading import load_checkpoint
from gpt2.serving.scheduler import Scheduler
from gpt2.serving.text import Job, Piece

APP = "gpt2"
OBJECTS = 80 * 2**20  # bytes of shared memory; pieces of text are small
LOGS = LoggingConfig(log_level="ERROR", enable_access_log=False)


@dataclass(frozen=True)
class Size:
    """How many replicas there are, and what each one has."""

    replicas: int
    cores: int
    batch: int
    queue: int


def keep_to_cores(rank: int, count: int) -> None:
    """Gives this process some of the machine's cores, each replica others.

    MAX starts a thread for each core that it may use, and they spin while they wait:
    on all cores they would take the time of the processes that speak to clients.
    """
    if sys.platform == "linux":  # macOS has no such call
        cores = sorted(os.sched_getaffinity(0), reverse=True)
        first = rank * count % len(cores)
        os.sched_setaffinity(0, (cores + cores)[first : first + count])


class Replica:
    """One process with the model.

    Args:
        model: its name or folder, the same on every machine.
        size: its batch and its queue.
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
        """As ``Scheduler.stream``."""
        async for pieces in self._scheduler.stream(job, live):
            yield pieces

    def check_health(self) -> None:
        """Asked by Ray, which replaces a replica that raises."""
        if not self._scheduler.alive:
            raise RuntimeError("the scheduler's thread has ended")


class Replicas:
    """All replicas, as one writer of texts."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle.options(stream=True)

    async def stream(self, job: Job, live: bool) -> AsyncGenerator[list[Piece]]:
        """As ``Scheduler.stream``, from whichever replica Ray chooses."""
        response = self._handle.stream.remote(job, live)
        assert isinstance(response, DeploymentResponseGenerator)
        try:
            async for pieces in response:
                yield pieces
        finally:
            response.cancel()  # without effect at its end


@contextmanager
def running(model: str, size: Size, address: str | None) -> Iterator[Replicas]:
    """Starts the replicas, and ends them.

    Args:
        model: its name or folder.
        size: how many, and how large.
        address: a Ray cluster's; None starts one on this machine alone.
    """
    start(size, address)
    try:
        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        serve.start(proxy_location="Disabled", logging_config=LOGS)
        deployed = serve.deployment(
            name="Replica",
            num_replicas=size.replicas,
            # The scheduler has the queue, and says so when it is full.
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
    """Joins a cluster, or starts one that nobody else can reach."""
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
