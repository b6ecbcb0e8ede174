"""Finds the first place at which a learner's trace differs from the reference's.

The walk follows the calculation, and looks at what each piece gets before it looks at
what the piece gives. So the step that makes the first wrong numbers is at fault. Later
differences are consequences.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from course.commands import typed
from course.registry import Exercise, find_exercise, prerequisites, short
from gpt2.learner.borrowing import Borrowed, listed
from gpt2.learner.observing import Odd
from gpt2.learner.stages import CALLER, Point, maker_of, points
from gpt2.learner.tracing import Trace

# Right code may compute in another order. Then float32 numbers differ by about a
# millionth of the largest number in their row, and by more after each block.
TOLERANCE = 2e-5
CELLS = 5  # wrong numbers that are listed
BECAUSE = "This differs because of the above."
# What the axes of an array count, by the end of its name or by the number of axes.
AXES = {
    "scores": ("head", "row", "column"),
    "shares": ("head", "row", "column"),
    "mask": ("row", "column"),
    "mask.sizes": ("size",),
    "hidden": ("token", "unit"),
    "active": ("token", "unit"),
    "logits": ("row", "id"),
    "logits.all": ("token", "id"),
}
USUAL = {1: ("token",), 2: ("token", "channel"), 3: ("head", "token", "channel")}


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
        says: a sentence without its full stop.
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
    faults = {}
    for point in walk:
        if fault := find_fault(point.name, mine, reference, depth(point, layers)):
            faults[point.name] = fault
    wrong = [point for point in walk if point.name in faults]
    stages = [point.name for point in walk if point.is_stage]
    end = broken_off(mine, stages, follows=bool(wrong)) if mine.error else None
    if not wrong:
        return [end] if end else []
    first = first_difference(wrong, faults, stages, mine, borrowed)
    later = [
        Difference(name, maker_of(name), faults[name], BECAUSE, follows=True)
        for name in stages
        if name in faults and name != first.stage
    ]
    return [first, *later, *([end] if end else [])]


def verdict(differences: Sequence[Difference], borrowed: Borrowed) -> str:
    """Returns the sentences about a comparison."""
    if differences:
        return differences[0].sentence
    if not borrowed.own:
        return "Nothing is yours yet, so both models are the reference."
    return "Your model computes what the reference computes."


def first_difference(
    wrong: Sequence[Point],
    faults: Mapping[str, Fault],
    stages: Sequence[str],
    mine: Trace,
    borrowed: Borrowed,
) -> Difference:
    """Says what is wrong first, and shows it at the first stage where it is seen."""
    cause, number = wrong[0], maker(wrong[0], mine)
    later = stages[stages.index(cause.stage) :]
    seen = next((stage for stage in later if stage in faults), cause.stage)
    fault, exercise = faults[cause.name], find_exercise(f"{number}")
    sentence = (
        f"The first difference is in step {exercise.short}: {cause.what}. "
        f"{fault.says}. {advice(exercise, borrowed)}"
    )
    return Difference(seen, number, faults.get(seen, fault), sentence)


def maker(point: Point, mine: Trace) -> int:
    """Returns the number of the step that makes a point's numbers in this model."""
    if isinstance(point.maker, int):
        return point.maker
    return mine.callers.get(f"h.{point.block}.{point.maker}", CALLER[False])


def advice(exercise: Exercise, borrowed: Borrowed) -> str:
    """Says which file to look at, and how to check it."""
    if exercise.key in borrowed.own:
        file, command = file_of(exercise, borrowed), check(exercise, borrowed)
        return f"Look at {file}. Check it with: {command}"
    own = [e.key for e in prerequisites(exercise) if e.key in borrowed.own]
    if own:
        return f"That step is borrowed: look at your {listed(own)}, which it imports."
    return "That step is borrowed: a file of yours changes what it does."


def file_of(exercise: Exercise, borrowed: Borrowed) -> str:
    """Returns the learner's file as they would type it."""
    return short(borrowed.steps_dir / exercise.step_path.name)


def check(exercise: Exercise, borrowed: Borrowed) -> str:
    """Returns the command that checks a step in the learner's folder."""
    folder = short(borrowed.steps_dir)
    usual = folder == exercise.step_path.parent.as_posix()
    return typed(exercise.key + ("" if usual else f" --steps-dir {folder}"))


def broken_off(mine: Trace, stages: Sequence[str], *, follows: bool) -> Difference:
    """Returns the stage at which a model stops, as its own or as another's fault."""
    assert mine.error is not None
    stage = next_stage(mine, stages)
    step = mine.error.step or maker_of(stage)
    sentence = f"The model stops here: {mine.error}."
    if follows:
        sentence = f"{BECAUSE} {sentence}"
    return Difference(stage, step, Fault("It stops"), sentence, follows)


def next_stage(mine: Trace, stages: Sequence[str]) -> str:
    """Returns the stage at which a trace ends.

    If nothing has run, because a file cannot be imported, it is one of that step's.
    """
    seen = [i for i, stage in enumerate(stages) if stage in mine.values]
    if seen:
        return stages[min(seen[-1] + 1, len(stages) - 1)]
    step = mine.error.step if mine.error else None
    return next((stage for stage in stages if maker_of(stage) == step), stages[0])


def depth(point: Point, layers: int) -> int:
    """Returns how many blocks come before a point."""
    if point.block is not None:
        return point.block
    return layers if point.stage in ("ln_f", "logits") else 0


def find_fault(
    name: str, mine: Trace, reference: Trace, blocks: int = 0
) -> Fault | None:
    """Compares one point after some blocks.

    Returns:
        None if the numbers are equal or cannot be seen.
    """
    got, expected = mine.values.get(name), reference.array(name)
    if got is None or expected is None:
        return None
    if isinstance(got, Odd):
        return Fault(f"Yours is {got.text}")
    if got.shape != expected.shape:
        return Fault(f"The shape is {list(got.shape)}, not {list(expected.shape)}")
    wrong = different(got, expected, blocks)
    indices = np.argwhere(wrong)[:CELLS]
    if not len(indices):
        return None
    cells = tuple(
        Cell(tuple(map(int, at)), float(expected[tuple(at)]), float(got[tuple(at)]))
        for at in indices
    )
    return Fault(described(name, cells[0], wrong), cells, int(wrong.sum()))


def different(got: np.ndarray, expected: np.ndarray, blocks: int = 0) -> np.ndarray:
    """Says which numbers differ by more than rounding: bools of the arrays' shape."""
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    finite = np.where(np.isfinite(expected), np.abs(expected), 0)
    largest = finite.max(axis=-1, keepdims=True, initial=1)
    with np.errstate(invalid="ignore"):  # -inf in both masks
        near = np.abs(got - expected) <= TOLERANCE * (1 + blocks) * largest
    return ~(near | (got == expected))


def described(name: str, cell: Cell, wrong: np.ndarray) -> str:
    """Says how many numbers are wrong, and what the first of them is."""
    count = int(wrong.sum())
    verb = "is" if count == 1 else "are"
    got, expected = written(cell.got, cell.expected)
    at = place(name, cell.at)
    return (
        f"{count} of {wrong.size} numbers {verb} wrong: {at} is {got}, not {expected}"
    )


def place(name: str, at: Sequence[int]) -> str:
    """Names a number by its index: "head 0, token 1, channel 2"."""
    last = re.sub(r"^h\.\d+\.", "", name)
    axes = AXES.get(last, USUAL.get(len(at), ("",) * len(at)))
    return ", ".join(f"{axis} {i}" for axis, i in zip(axes, at, strict=True))


def written(*numbers: float) -> list[str]:
    """Returns numbers with as few digits as tell them apart, and at least three."""
    for digits in range(3, 9):
        texts = [f"{number:.{digits}g}" for number in numbers]
        if len(set(texts)) == len(numbers):
            break
    signs = str.maketrans({"-": "\N{MINUS SIGN}"})
    return [
        text.translate(signs).replace("inf", "∞").replace("nan", "NaN")
        for text in texts
    ]


def largest_difference(name: str, mine: Trace, reference: Trace) -> float:
    """Returns the largest difference; infinite where the arrays cannot be compared."""
    got, expected = mine.array(name), reference.array(name)
    if got is None or expected is None or got.shape != expected.shape:
        return np.inf
    if not np.isfinite(got).all():
        return np.inf
    return float(np.abs(got - expected).max(initial=0))
