"""Makes the book's figures and numbers anew: ``python -m book.figures [PAGE …]``."""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

# The products are small, threads would only wait; NumPy reads this when imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from book.figures.svg import render
from book.pages import FIGURES, NUMBERS, key_of

HERE = Path(__file__).parent
SHARED = {"style", "svg"}


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


def write(name: str) -> None:
    """Writes one module's files."""
    module = load(name)
    for figure, text in drawn(module).items():
        (FIGURES / f"{figure}.svg").write_text(text)
    if (text := computed(module)) is not None:
        (NUMBERS / f"{key_of(name)}.json").write_text(text)


def main(wanted: list[str]) -> None:
    """Makes the files of the pages named, or of all."""
    for unknown in set(wanted) - set(names()):
        sys.exit(f"There is no book/figures/{unknown}.py; there are: {names()}.")
    FIGURES.mkdir(exist_ok=True)
    NUMBERS.mkdir(exist_ok=True)
    for name in wanted or names():
        write(name)


if __name__ == "__main__":
    main(sys.argv[1:])
