"""Finds the first place at which a learner's trace differs from the reference's.

The walk follows the calculation. So everything before the first difference is equal, and
the step that makes the first wrong numbers is at fault, or what it was given is. Later
differences are consequences.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from course.commands import typed
from course.registry import Exercise, find_exercise, prerequisites, short
from gpt2.learner.borrowing import Borrowed, listed
from gpt2.learner.observing import Odd
from gpt2.learner.stages import CALLER, Point, maker_of, points
from gpt2.learner.tracing import Trace

# Right code may compute in another order. Then float32 numbers differ by about a
# millionth of the largest number that they are made of.
TOLERANCE = 2e-5
CELLS = 5  # wrong numbers that are listed
BECAUSE = "This differs because of the above."
# What the axes of an array with two or three axes count.
PLACES = {
    1: ("number",),
    2: ("token", "channel"),
    3: ("head", "token", "channel"),
}


@dataclass(frozen=True)
class Cell:
    """A wrong number.

    Attributes:
        at: its index in the array.
    """

    at: tuple[int, ...]
    expected: float
    got: float


@dataclass(frozen=True)
class Fault:
    """How the numbers at one point differ.

    Attributes:
        says: a clause, such as "12 of 40 numbers are wrong".
        cells: the first wrong numbers.
        count: how many are wrong; 0 if the numbers cannot be compared.
    """

    says: str
    cells: tuple[Cell, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class Difference:
    """A stage in which the traces differ.

    Attributes:
        stage: its name, such as ``h.0.shares``.
        step: the number of the step at fault; of a consequence, the stage's own step.
        fault: how the numbers of the stage differ.
        sentence: for the learner.
        follows: whether it is a consequence of an earlier difference.
    """

    stage: str
    step: int
    fault: Fault
    sentence: str
    follows: bool = False


def compare(
    mine: Trace, reference: Trace, borrowed: Borrowed, layers: int
) -> list[Difference]:
    """Lists the stages in which two traces differ, in the order of the calculation.

    Args:
        mine: the trace of the learner's model.
        reference: the trace of the solutions.
        borrowed: whose the steps of ``mine`` are.
        layers: the number of blocks.
    """
    walk = list(points(layers))
    faults = {point.name: find_fault(point.name, mine, reference) for point in walk}
    wrong = [point for point in walk if faults[point.name]]
    stages = [point.name for point in walk if point.is_stage]
    found: list[Difference] = []
    if wrong:
        found.append(first_difference(wrong, faults, stages, mine, borrowed))
    elif mine.error:
        found.append(broken_off(mine, stages))
    if not found:
        return []
    for point in wrong:
        fault = faults[point.name]
        if fault and point.is_stage and point.name != found[0].stage:
            step = maker_of(point.name)
            found.append(Difference(point.name, step, fault, BECAUSE, follows=True))
    if wrong and mine.error:
        stage = next_stage(mine, stages)
        said = f"{BECAUSE} The model stops here: {mine.error}."
        step = mine.error.step or maker_of(stage)
        found.append(Difference(stage, step, Fault("it stops"), said, follows=True))
    return found


def first_difference(
    wrong: Sequence[Point],
    faults: dict[str, Fault | None],
    stages: Sequence[str],
    mine: Trace,
    borrowed: Borrowed,
) -> Difference:
    """Says what is wrong first, and shows it at the first stage where it is seen."""
    cause, number = wrong[0], maker(wrong[0], mine)
    later = stages[stages.index(cause.stage) :]
    seen = next((stage for stage in later if faults[stage]), cause.stage)
    fault = faults[cause.name]
    assert fault is not None
    what = cause.what[0].upper() + cause.what[1:]
    sentence = f"{what}: {fault.says}. {advice(find_exercise(f'{number}'), borrowed)}"
    return Difference(seen, number, faults[seen] or fault, sentence)


def maker(point: Point, mine: Trace) -> int:
    """Returns the number of the step that makes a point's numbers in this model."""
    if isinstance(point.maker, int):
        return point.maker
    return mine.callers.get(f"h.{point.block}.{point.maker}", CALLER[False])


def advice(exercise: Exercise, borrowed: Borrowed) -> str:
    """Says which file to look at, and how to check it."""
    this = f"Step {exercise.short} makes this"
    if exercise.key in borrowed.own:
        return f"{this}: look at {file_of(exercise, borrowed)}. {check(exercise, borrowed)}"
    own = [e.key for e in prerequisites(exercise) if e.key in borrowed.own]
    if own:
        return f"{this}. It is borrowed and imports your {listed(own)}: look there."
    return f"{this}, which is borrowed: a file of yours changes what it does."


def file_of(exercise: Exercise, borrowed: Borrowed) -> str:
    """Returns the learner's file as they would type it."""
    return short(borrowed.steps_dir / exercise.step_path.name)


def check(exercise: Exercise, borrowed: Borrowed) -> str:
    """Says how to check a step in the learner's folder."""
    folder = short(borrowed.steps_dir)
    where = "" if folder == exercise.step_path.parent.as_posix() else f" --steps-dir {folder}"
    return f"Check it with: {typed(exercise.key + where)}"


def broken_off(mine: Trace, stages: Sequence[str]) -> Difference:
    """Returns the stage at which a model stops whose numbers are right until then."""
    assert mine.error is not None
    stage = next_stage(mine, stages)
    step = mine.error.step or maker_of(stage)
    return Difference(stage, step, Fault("it stops"), f"The model stops here: {mine.error}.")


def next_stage(mine: Trace, stages: Sequence[str]) -> str:
    """Returns the stage at which a trace ends: if possible one of the step at fault.

    Stages that the code does not show from outside come before it, too.
    """
    last = max((i for i, stage in enumerate(stages) if stage in mine.values), default=-1)
    rest = stages[last + 1 :] or stages[-1:]
    step = mine.error.step if mine.error else None
    return next((stage for stage in rest if maker_of(stage) == step), rest[0])


def find_fault(name: str, mine: Trace, reference: Trace) -> Fault | None:
    """Compares one point; None if the numbers are equal or cannot be seen."""
    got, expected = mine.values.get(name), reference.array(name)
    if got is None or expected is None:
        return None
    if isinstance(got, Odd):
        return Fault(f"yours is {got.text}")
    if got.shape != expected.shape:
        return Fault(f"the shape is {list(got.shape)}, not {list(expected.shape)}")
    wrong = different(got, expected)
    indices = np.argwhere(wrong)[:CELLS]
    if not len(indices):
        return None
    cells = tuple(
        Cell(tuple(map(int, at)), float(expected[tuple(at)]), float(got[tuple(at)]))
        for at in indices
    )
    return Fault(described(cells[0], got, wrong), cells, int(wrong.sum()))


def different(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Says which numbers differ by more than rounding: bools of the arrays' shape."""
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    finite = np.where(np.isfinite(expected), np.abs(expected), 0)
    largest = finite.max(axis=-1, keepdims=True, initial=1)
    with np.errstate(invalid="ignore"):  # -inf in both masks
        near = np.abs(got - expected) <= TOLERANCE * largest
    return ~(near | (got == expected))


def described(cell: Cell, got: np.ndarray, wrong: np.ndarray) -> str:
    """Says how many numbers are wrong, and what the first of them is."""
    count = int(wrong.sum())
    amount = "the number is" if wrong.size == 1 else f"{count} of {wrong.size} numbers are"
    if count == 1 and wrong.size > 1:
        amount = f"1 of {wrong.size} numbers is"
    if np.isnan(got[wrong]).all():
        return f"{amount} NaN, first {place(cell.at)}"
    first = f"{place(cell.at)} is {number(cell.got)}, not {number(cell.expected)}"
    return f"{amount} wrong; {first}"


def place(at: Sequence[int]) -> str:
    """Names a number by its index: "head 0, token 1, channel 2"."""
    names = PLACES.get(len(at), [f"axis {axis}" for axis in range(len(at))])
    return ", ".join(f"{name} {i}" for name, i in zip(names, at, strict=True))


def number(value: float) -> str:
    """Returns a number with three digits, and with the sign that text has."""
    return f"{value:.3g}".replace("-", "−").replace("inf", "∞").replace("nan", "NaN")


def largest_difference(name: str, mine: Trace, reference: Trace) -> float | None:
    """Returns the largest difference of finite numbers; None if none can be taken."""
    got, expected = mine.array(name), reference.array(name)
    if got is None or expected is None or got.shape != expected.shape:
        return None
    with np.errstate(invalid="ignore"):
        return float(np.abs(got - expected).max(initial=0))


def rows(mine: Trace, layers: int) -> Iterator[Point]:
    """Yields the stages that a trace has."""
    return (p for p in points(layers) if p.is_stage and p.name in mine.values)
