"""Runs many eager operations as one graph.

Eager MAX builds and runs a graph for every operation. On small tensors, building takes
most of the time. Here operations are added to one graph until a value is needed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from max.experimental import functional as F
from max.experimental.realization_context import (
    LazyRealizationContext,
    set_default_realization_context,
)
from max.experimental.tensor import Tensor

from runtime.plain_max import plain_max


class PendingGraph(LazyRealizationContext):
    """Collects operations and runs them all when the first value is needed."""

    pending: "PendingGraph | None" = None

    @classmethod
    def current(cls) -> "PendingGraph":
        """Returns the graph that operations are added to now."""
        if cls.pending is None:
            cls.pending = cls()
        return cls.pending

    async def realize_all(self) -> list[Tensor]:
        """Runs the collected operations; later ones go into a new graph."""
        if PendingGraph.pending is self:
            PendingGraph.pending = None
        return await super().realize_all()


def run_pending() -> None:
    """Runs the collected operations, including writes into tensors."""
    if PendingGraph.pending is not None:
        F._run(PendingGraph.pending.realize_all())


@contextmanager
def collected() -> Iterator[None]:
    """Collects the operations of a block, and runs them when a value is needed."""
    if plain_max():
        yield
        return
    try:
        with set_default_realization_context(PendingGraph.current):
            yield
    finally:
        PendingGraph.pending = None  # nobody needs what has not run
