"""The exercises of the course, as ``registry.toml`` lists them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class UnknownExercise(ValueError):
    """There is no exercise of that name."""


@dataclass(frozen=True)
class Exercise:
    """One numbered step, or one of the encores before and after them.

    Attributes:
        key: the name of its command, such as ``s08``.
        number: its place in the course. The first step is 1; an encore stands before
            it or after the steps.
        title: a few words.
        summary: one sentence that says what the piece does in the model.
        file: the common stem of its files, such as ``step_08``.
        symbols: the public names that its solution defines.
        builds_on: keys of the exercises that its solution imports.
        minutes: an honest estimate for a Python programmer new to transformers.
        difficulty: from 1 to 5.
        hints: a nudge, the operations' names, and nearly the line.
        on_numpy: whether its functions take NumPy arrays instead of tensors.
        suffix: how the names of its files end: ``.py``, or ``.mojo``.
    """

    key: str
    number: int
    title: str
    summary: str
    file: str
    symbols: tuple[str, ...]
    builds_on: tuple[str, ...]
    minutes: int
    difficulty: int
    hints: tuple[str, ...]
    on_numpy: bool = False
    suffix: str = ".py"

    @property
    def in_python(self) -> bool:
        """True unless the exercise is written in Mojo."""
        return self.suffix == ".py"

    @property
    def is_step(self) -> bool:
        """True for one of the fourteen steps, False for an encore."""
        return self.file.startswith("step_")

    @property
    def label(self) -> str:
        """The exercise's name in reports, such as "Step 08 · Attention"."""
        return f"{'Step ' + self.short if self.is_step else 'Encore'} · {self.title}"

    @property
    def short(self) -> str:
        """The name that a learner types: "08", or an encore's key."""
        return f"{self.number:02}" if self.is_step else self.key

    @property
    def step_path(self) -> Path:
        return Path("steps", f"{self.file}{self.suffix}")

    @property
    def skeleton_path(self) -> Path:
        """The untouched copy of the learner's file."""
        return Path("course", "skeletons", self.step_path.name)

    @property
    def solution_path(self) -> Path:
        stem = self.file.replace("step_", "solution_")
        return Path("solutions", f"{stem}{self.suffix}")

    @property
    def step_module(self) -> str:
        """The name under which the learner's file is imported."""
        return f"steps.{self.step_path.stem}"

    @property
    def solution_module(self) -> str:
        """The name under which the solution is imported."""
        return f"solutions.{self.solution_path.stem}"

    @property
    def solved(self) -> str:
        """The solution's text as a learner would have written it in ``steps/``."""
        return as_step((ROOT / self.solution_path).read_text(encoding="utf-8"))

    @property
    def checker_path(self) -> Path:
        return Path("tests", f"test_{self.file}.py")

    @property
    def mistakes_path(self) -> Path:
        return Path("tests", "mistakes", f"{self.file}.toml")

    @property
    def chapter_path(self) -> Path:
        return Path("book", "src", f"{self.file}.md")


# How module names begin in a solution's imports, and how in a learner's file.
PREFIXES = {
    "solutions.solution_": "steps.step_",
    "solutions.encore_": "steps.encore_",
}


def as_step(text: str) -> str:
    """Renames the solutions' modules in a text to the steps' modules."""
    for solution, step in PREFIXES.items():
        text = text.replace(solution, step)
    return text


def as_solution(text: str) -> str:
    """Renames the steps' modules in a text to the solutions' modules."""
    for solution, step in PREFIXES.items():
        text = text.replace(step, solution)
    return text


@cache
def load_registry() -> tuple[Exercise, ...]:
    """Reads every exercise, in the course's order."""
    text = (ROOT / "course" / "registry.toml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = tomllib.loads(text)["exercise"]
    return tuple(Exercise(**{k: frozen(v) for k, v in e.items()}) for e in entries)


def frozen(value: Any) -> Any:
    """Turns a list into a tuple, which can be hashed."""
    return tuple(value) if isinstance(value, list) else value


def order_of_work() -> list[Exercise]:
    """Lists the exercises in the order in which they are proposed: the steps first.

    Of the encores, those after the steps are proposed before those that stand before.
    """
    steps = [e for e in load_registry() if e.is_step]
    encores = [e for e in load_registry() if not e.is_step]
    return [*steps, *sorted(encores, key=lambda e: e.number < steps[0].number)]


def find_exercise(text: str) -> Exercise:
    """Finds an exercise by "8", "08", "step_08", "steps/step_08.py" or its key.

    Raises:
        UnknownExercise: no exercise has that name; the message lists all names.
    """
    name = Path(text.strip()).stem.lower()
    for exercise in load_registry():
        numbers = [str(exercise.number), exercise.short] if exercise.is_step else []
        if name in [exercise.key, exercise.file, *numbers]:
            return exercise
    steps = sum(e.is_step for e in load_registry())
    encores = ", ".join(e.key for e in load_registry() if not e.is_step)
    more = f", {encores}" if encores else ""
    raise UnknownExercise(
        f"There is no exercise {text!r}; there are 1 to {steps}{more}."
    )


def prerequisites(exercise: Exercise) -> list[Exercise]:
    """Lists the exercises that this one builds on, directly or not, in order."""
    found: dict[str, Exercise] = {}
    for key in exercise.builds_on:
        earlier = find_exercise(key)
        found |= {e.key: e for e in [*prerequisites(earlier), earlier]}
    return sorted(found.values(), key=lambda e: e.number)


def short(path: Path) -> str:
    """Returns a path as a learner would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
