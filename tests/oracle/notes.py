"""Names for what the oracle computes on its way.

A learner's wrong result is often one of these quantities, or lacks one of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

Quantity = np.ndarray | float


class Aside(str):
    """The name of a quantity that no right calculation has on its way."""


_notes: ContextVar[dict[str, Quantity] | None] = ContextVar("notes", default=None)


@contextmanager
def taking_notes() -> Iterator[dict[str, Quantity]]:
    """Collects the quantities noted inside; a name's last quantity stays."""
    found: dict[str, Quantity] = {}
    token = _notes.set(found)
    try:
        yield found
    finally:
        _notes.reset(token)


def taking() -> bool:
    """Says whether notes are taken; what only a note needs may be left out if not."""
    return _notes.get() is not None


def note[Q: Quantity](name: str, quantity: Q) -> Q:
    """Gives a quantity a name, as a report prints it, and returns the quantity."""
    if (notes := _notes.get()) is not None:
        notes[name] = quantity
    return quantity


def notes_so_far() -> dict[str, Quantity]:
    """Returns a copy of the notes; empty if nobody takes notes."""
    return dict(_notes.get() or {})
