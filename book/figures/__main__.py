"""Records figures and numbers: ``python -m book.figures [--check] [PAGE …]``."""

import json
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

# Matrices are small, so one thread is fastest. NumPy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from book.figures._compact import compact
from book.figures._narrow import narrow
from book.figures.svg import render
from book.pages import FIGURES, NARROW, NUMBERS, key_of
from book.recorder import Made, Recorder
from book.rounding import alike, last_place

HERE = Path(__file__).parent
SHARED = {"style", "svg"}
PIXEL = 0.75


def names() -> list[str]:
    """The names of the modules that belong to a page."""
    stems = {path.stem for path in HERE.glob("*.py")} - SHARED
    return sorted(stem for stem in stems if not stem.startswith("_"))


def load(name: str) -> ModuleType:
    """Imports a page's module."""
    return import_module(f"book.figures.{name}")


def drawn(module: ModuleType) -> Iterator[tuple[Path, str]]:
    """The files of a module's figures, and their SVG text.

    A chart has a second file, for phones.
    """
    make = getattr(module, "figures", dict)
    for name, figure in make().items():
        yield FIGURES / f"{name}.svg", render(figure, name)
        if narrow(figure):
            yield NARROW / f"{name}.svg", compact(render(figure, f"{name}-narrow"))


def computed(module: ModuleType) -> str | None:
    """The JSON text of a module's numbers; None if the module has no numbers."""
    if not hasattr(module, "numbers"):
        return None
    return json.dumps(module.numbers(), indent=1, ensure_ascii=False) + "\n"


def make(wanted: list[str]) -> Iterator[Made]:
    """Makes the files of the given pages."""
    for name in wanted:
        module = load(name)
        for path, svg in drawn(module):
            yield Made(name, path, svg, figures_agree)
        if (text := computed(module)) is not None:
            yield Made(name, NUMBERS / f"{key_of(name)}.json", text, numbers_agree)


def kept() -> list[Path]:
    """All recorded files."""
    return [*FIGURES.rglob("*.svg"), *NUMBERS.glob("*.json")]


def figures_agree(a: str, b: str) -> bool:
    """True if two drawings are equal, to ``PIXEL`` in every coordinate."""
    return alike(a, b, lambda _: PIXEL)


def numbers_agree(a: str, b: str) -> bool:
    """True if two files have the same values, apart from rounding."""
    first, second = flat(json.loads(a)), flat(json.loads(b))
    return first.keys() == second.keys() and all(
        alike(first[name], second[name], last_place) for name in first
    )


def flat(values: dict[str, Any]) -> dict[str, str]:
    """Each value as text, by name."""
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}


RECORDER = Recorder("book.figures", names, make, kept)

if __name__ == "__main__":
    RECORDER.main()
