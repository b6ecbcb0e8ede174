"""Records figures and numbers: ``python -m book.figures [--check] [PAGE …]``."""

import json
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

# The products are small, threads would only wait; NumPy reads this when imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from book.figures.svg import render
from book.pages import FIGURES, NUMBERS, key_of
from book.recorder import Made, Recorder
from book.rounding import alike, last_place

HERE = Path(__file__).parent
SHARED = {"style", "svg"}
PIXEL = 0.75


def names() -> list[str]:
    """The modules that belong to a page."""
    stems = {path.stem for path in HERE.glob("*.py")} - SHARED
    return sorted(stem for stem in stems if not stem.startswith("_"))


def load(name: str) -> ModuleType:
    """Imports a page's module."""
    return import_module(f"book.figures.{name}")


def drawn(module: ModuleType) -> dict[str, str]:
    """The SVG of each figure that a module has."""
    make = getattr(module, "figures", dict)
    return {name: render(figure, name) for name, figure in make().items()}


def computed(module: ModuleType) -> str | None:
    """A module's numbers as the text of their file; None where it has none."""
    if not hasattr(module, "numbers"):
        return None
    return json.dumps(module.numbers(), indent=1, ensure_ascii=False) + "\n"


def make(wanted: list[str]) -> Iterator[Made]:
    """Makes the files of the pages named."""
    for name in wanted:
        module = load(name)
        for figure, svg in drawn(module).items():
            yield Made(name, FIGURES / f"{figure}.svg", svg, figures_agree)
        if (text := computed(module)) is not None:
            yield Made(name, NUMBERS / f"{key_of(name)}.json", text, numbers_agree)


def kept() -> list[Path]:
    """All files that were recorded."""
    return [*FIGURES.glob("*.svg"), *NUMBERS.glob("*.json")]


def figures_agree(a: str, b: str) -> bool:
    """Whether nothing in a drawing lies elsewhere."""
    return alike(a, b, lambda _: PIXEL)


def numbers_agree(a: str, b: str) -> bool:
    """Whether two files have the same values; rounding may go either way."""
    first, second = flat(json.loads(a)), flat(json.loads(b))
    return first.keys() == second.keys() and all(
        alike(first[name], second[name], last_place) for name in first
    )


def flat(values: dict[str, Any]) -> dict[str, str]:
    """Each value by its name, tables as their text."""
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}


RECORDER = Recorder("book.figures", names, make, kept)

if __name__ == "__main__":
    RECORDER.main()
