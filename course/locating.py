"""Finds the line of a learner's code after which its numbers are no longer right.

The grader makes the failing call again and looks at every variable. Quantities of the
oracle tell which variables are right.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from course.evidence import Evidence
from course.messages import Call, Variable, Watch
from course.student import Raised, Student
from tests.oracle.notes import Aside, Quantity

CLOSE = 1e-4  # relative to the largest number: float32 against float64


@dataclass(frozen=True)
class Place:
    """A line of the learner's code, and what is known of its variable.

    Attributes:
        line, text: the line's number and its code.
        name: the variable's name; empty for what the line returns.
        quantity: the quantity that the variable equals; empty if none is known.
    """

    line: int
    text: str
    name: str
    quantity: str


def locate(student: Student, evidence: Evidence, files: tuple[str, ...]) -> list[Place]:
    """Returns the last right variable, and the variable after it; empty if unknown.

    Args:
        evidence: what the failing check shows of the code.
        files: the names that the learner's file may have.
    """
    wrong = next((c for c in evidence.comparisons if c.wrong.any()), None)
    index = evidence.call_behind(wrong) if wrong else None
    if wrong is None or index is None:
        return []
    call = evidence.recording.calls[index]
    again = Call(
        call.target.id, call.attribute, call.args, call.kwargs, student.tensors
    )
    try:
        variables: list[Variable] = student.ask(Watch(again, files))
    except Raised:
        return []
    places = [place_of(variable, wrong.known) for variable in variables]
    right = [i for i, place in enumerate(places) if is_right(place)]
    return places[right[-1] : right[-1] + 2] if right else []


def is_right(place: Place) -> bool:
    """Says whether a variable holds what a right calculation has on its way."""
    return bool(place.quantity) and not isinstance(place.quantity, Aside)


def place_of(variable: Variable, known: Mapping[str, Quantity]) -> Place:
    """Looks a variable's numbers up among the known quantities."""
    quantity = quantity_of(variable.array.values, known)
    return Place(variable.line, variable.text, variable.name, quantity)


def quantity_of(values: np.ndarray, known: Mapping[str, Quantity]) -> str:
    """Returns the name of the quantity that an array equals; "" if there is none."""
    if values.size < 2 or values.dtype.kind not in "fiu":
        return ""
    for name, quantity in known.items():
        if np.shape(quantity) == values.shape and is_close(values, quantity):
            return name
    return ""


def is_close(values: np.ndarray, quantity: Quantity) -> bool:
    """Says whether two arrays are equal but for rounding."""
    finite = np.isfinite(quantity)
    size = np.abs(np.where(finite, quantity, 0)).max(initial=1e-30)
    return bool(np.allclose(values, quantity, rtol=CLOSE, atol=CLOSE * size))
