"""Finds the line of a learner's code after which its numbers are no longer right.

The grader makes the failing call again and looks at every variable. Quantities of the
oracle tell which variables are right.
"""

from dataclasses import dataclass

import numpy as np

from course.comparison import Comparison
from course.evidence import Evidence
from course.messages import Call, Variable, Watch
from course.student import Raised, Student
from course.symptoms import relate
from tests.oracle.notes import Aside, Quantity

CLOSE = 1e-4  # relative to the largest number: float32 against float64


@dataclass(frozen=True)
class Place:
    """A line of the learner's code, and what is known of its variable.

    Attributes:
        line, text: the line's number and its code.
        told: what the variable holds, in words; empty if nothing is known.
        right: True if a right calculation has the same numbers on its way.
    """

    line: int
    text: str
    told: str = ""
    right: bool = False


def locate(student: Student, evidence: Evidence, files: tuple[str, ...]) -> list[Place]:
    """Returns the last line whose variable is known, and the next line if it is right.

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
    places = [place_of(variable, wrong) for variable in variables]
    told = [i for i, place in enumerate(places) if place.told]
    if not told:
        return []
    last = told[-1]
    return places[last : last + 2] if places[last].right else [places[last]]


def place_of(variable: Variable, wrong: Comparison) -> Place:
    """Looks a variable's numbers up among the known quantities."""
    values = variable.array.values
    if values.size < 2 or values.dtype.kind not in "fiu":
        return Place(variable.line, variable.text)
    found = equal_quantity(values, wrong)
    if found is not None:
        right = not isinstance(found, Aside)
        return Place(variable.line, variable.text, found, right)
    told = related_quantity(variable.name, values, wrong) if variable.name else ""
    return Place(variable.line, variable.text, told)


def equal_quantity(values: np.ndarray, wrong: Comparison) -> str | None:
    """Returns the name of the quantity that an array equals."""
    for name, quantity in wrong.known.items():
        if np.shape(quantity) == values.shape and is_close(values, quantity):
            return name
    return None


def related_quantity(variable: str, values: np.ndarray, wrong: Comparison) -> str:
    """Says which quantity an array is, scaled or in another order; "" if none."""
    for name, quantity in wrong.known.items():
        if isinstance(name, Aside) or np.shape(quantity) != values.shape:
            continue
        right = np.asarray(quantity, np.float64)
        numbers = {k: v for k, v in wrong.known.items() if not np.ndim(v)}
        told = relate(
            Comparison("", values.astype(np.float64), right, numbers, (), CLOSE)
        )
        if told:
            return told.replace("Yours", f"`{variable}`").replace(
                "the right result", name
            )
    return ""


def is_close(values: np.ndarray, quantity: Quantity) -> bool:
    """Says whether two arrays are equal but for rounding."""
    finite = np.isfinite(quantity)
    size = np.abs(np.where(finite, quantity, 0)).max(initial=1e-30)
    return bool(np.allclose(values, quantity, rtol=CLOSE, atol=CLOSE * size))
