"""Computes a learner's operations at once, with MAX's own kernels.

MAX makes a graph of the operations, writes it down in another form, checks it, and
interprets it. On a small model this takes far longer than the arithmetic. A rule here
knows the kernel that MAX would call in the end, and calls the kernel at once. What no
rule covers, MAX does itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any

from max.experimental import functional as F
from max.experimental.executor import InterpreterExecutor, default_executor
from max.experimental.tensor import Tensor, current_realization_context

from runtime.defaults import on_the_cpu, one_graph
from runtime.direct.now import Now
from runtime.direct.transposes import Transposes
from runtime.direct.values import Unfit
from runtime.lazy_operations import collected, run_pending
from runtime.plain_max import plain_max


@contextmanager
def direct_operations(transposes: Transposes | None = None) -> Iterator[None]:
    """Computes each operation at once where a rule is known, on the CPU in float32.

    Other operations are collected until a rule or the learner's code needs a value.
    COURSE_PLAIN_MAX=1 collects all of them, and gives no value inside the block.

    Args:
        transposes: keeps transposes from one block to the next.
    """
    if plain_max():
        with one_graph():
            yield
        return
    with on_the_cpu(), collected(), rules(transposes):
        yield
        run_pending()


@contextmanager
def rules(transposes: Transposes | None = None) -> Iterator[None]:
    """Lets the rules compute what they can. MAX does the rest as it would without.

    Args:
        transposes: keeps transposes from one block to the next.
    """
    before, Now.on, Now.transposes = Now.on, available(), transposes or Transposes()
    try:
        yield
    finally:
        Now.on, Now.transposes = before, Transposes()


def available() -> bool:
    """Whether rules can be used: MAX interprets, and has what the rules need."""
    return (
        not plain_max()
        and isinstance(default_executor(), InterpreterExecutor)
        and installed()
    )


@cache
def installed() -> bool:
    """Puts the rules into MAX's functional interface; False if MAX lacks a place."""
    try:
        from runtime.direct import constants, elementwise, moves, products
    except ImportError:
        return False
    for file in (elementwise, products, moves, constants):
        for name, rule in file.RULES.items():
            setattr(F, name, ruled(getattr(F, name), rule))
    Tensor.__getitem__ = ruled(Tensor.__getitem__, moves.item)
    for name in ("buffer_store", "buffer_store_slice"):
        setattr(F, name, run_at_once(getattr(F, name)))
    return True


def ruled(operation: Callable, rule: Callable) -> Callable:
    """Lets an operation try its rule first."""

    @wraps(operation)
    def ruled_operation(*args: Any, **kwargs: Any) -> Any:
        if Now.on and current_realization_context(None) is None:
            # Whatever a rule cannot do, MAX does, or says what is wrong.
            try:
                return rule(*args, **kwargs)
            except (Unfit, TypeError, ValueError, IndexError, AttributeError):
                pass
        return operation(*args, **kwargs)

    return ruled_operation


def run_at_once(write: Callable) -> Callable:
    """Lets a write into a tensor happen at once: rules may read the tensor next."""

    @wraps(write)
    def written(*args: Any, **kwargs: Any) -> None:
        write(*args, **kwargs)
        Now.transposes.clear()
        if Now.on and current_realization_context(None) is None:
            run_pending()

    return written
