"""Finds the line of a learner's code after which its numbers are no longer right.

The grader makes the failing call again and looks at every variable. Quantities of the
oracle tell which variables are right.
"""

from dataclasses import dataclass, replace

import numpy as np

from course.comparison import Comparison
from course.evidence import Evidence
from course.messages import Variable, Watch
from course.student import Raised, Student
from course.symptoms import relate
from tests.oracle.notes import Aside, Quantity

CLOSE = 1e-4  # relative to the largest number: float32 against float64


@dataclass(frozen=True)
class Place:
    """A line of the learner's code, and what is known of its variable.

    Attributes:
        line, text: the line's number and its code.
        name: the variable's name; empty for what the line returns.
        quantity: the quantity of the calculation that the variable is, or that it is
            scaled or in another order; empty if none is known.
        told: what the variable holds, in words.
        right: True if a right calculation has the same numbers on its way.
    """

    line: int
    text: str
    name: str
    quantity: str = ""
    told: str = ""
    right: bool = False


def locate(student: Student, evidence: Evidence) -> list[Place]:
    """Returns the line whose variable is not right, or the last right one and the next.

    Args:
        evidence: what the failing check shows of the code.
    """
    wrong, index = evidence.wrong, evidence.wrong_call
    if wrong is None or index is None:
        return []
    again = Watch(evidence.recording.calls[index].request, student.module.handle.id)
    try:
        variables: list[Variable] = student.ask(again)
    except Raised:
        return []
    made = up_to_result(variables, wrong.yours)
    places = [place_of(variable, wrong) for variable in made]
    if places:  # the check says that the last result is wrong
        places[-1] = replace(places[-1], right=False)
    return telling(places)


def up_to_result(variables: list[Variable], yours: np.ndarray) -> list[Variable]:
    """Returns the variables up to the first that holds the wrong result, or all."""
    for count, variable in enumerate(variables, 1):
        if np.array_equal(variable.array.values, yours, equal_nan=True):
            return variables[:count]
    return variables


def telling(places: list[Place]) -> list[Place]:
    """Chooses the places to show.

    A quantity may be made in several lines: right code may scale the scores after it
    has computed them. So the last line of the first quantity that stays wrong counts.
    """
    right = max((i for i, place in enumerate(places) if place.right), default=-1)
    related = [place for place in places[right + 1 :] if place.quantity]
    if related:
        return [p for p in related if p.quantity == related[0].quantity][-1:]
    if right < 0:
        return []
    return [
        p for p in places[right : right + 2] if p.line != places[right].line or p.right
    ]


def place_of(variable: Variable, wrong: Comparison) -> Place:
    """Looks a variable's numbers up among the known quantities."""
    place = Place(variable.line, variable.text, variable.name)
    values = variable.array.values
    if values.dtype.kind not in "fiu" or (values == values.flat[:1]).all():
        return place  # a result that has one number only tells nothing
    same = [k for k, v in wrong.known.items() if np.shape(v) == values.shape]
    same.sort(key=lambda name: isinstance(name, Aside))
    for name in same:
        if is_close(values, wrong.known[name]):
            right = not isinstance(name, Aside)
            return replace(place, quantity=name, told=name, right=right)
    for name in same if variable.name else ():
        if told := relation(variable, name, wrong):
            return replace(place, quantity=name, told=told)
    return place


def relation(variable: Variable, name: str, wrong: Comparison) -> str | None:
    """Says how a variable is a quantity, scaled or in another order; None if not."""
    if isinstance(name, Aside):
        return None
    numbers = {k: v for k, v in wrong.known.items() if not np.ndim(v)}
    values, right = (
        np.asarray(x, np.float64) for x in (variable.array.values, wrong.known[name])
    )
    told = relate(Comparison("", values, right, numbers, (), CLOSE))
    right_one = name.replace("the ", "the right ", 1) if name[:4] == "the " else name
    return told and told.replace("Yours", f"`{variable.name}`").replace(
        "the right result", right_one
    )


def is_close(values: np.ndarray, quantity: Quantity) -> bool:
    """Says whether two arrays are equal but for rounding."""
    finite = np.isfinite(quantity)
    size = np.abs(np.where(finite, quantity, 0)).max(initial=1e-30)
    return bool(np.allclose(values, quantity, rtol=CLOSE, atol=CLOSE * size))
