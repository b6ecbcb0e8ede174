"""Decides what ``import steps.step_08`` reads: the learner's file, or the solution.

A borrowed solution imports ``steps`` as well. So a borrowed step 09 calls the learner's
step 08, if that one is the learner's.
"""

import sys
from collections.abc import Mapping
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

from course.mojo_module import mojo_spec
from course.registry import ROOT, as_step


class FreshLoader(SourceFileLoader):
    """Compiles a learner's file as it is now, and stores no bytecode.

    Python would take stored bytecode for current if a file of the same size was saved
    twice in a second.
    """

    def get_code(self, fullname: str) -> CodeType:
        """Compiles the file's text."""
        return self.source_to_code(self.get_data(self.path), self.path)


class BorrowedLoader(SourceFileLoader):
    """Loads a solution as a module of ``steps``."""

    def get_code(self, fullname: str) -> CodeType:
        """Compiles the renamed text; stored bytecode has the solutions' names."""
        text = Path(self.path).read_text(encoding="utf-8")
        return self.source_to_code(as_step(text), self.path)


class StepFinder(MetaPathFinder):
    """Finds ``steps.step_NN`` in a folder, unless it is borrowed.

    Args:
        folder: the folder with the learner's files.
        borrowed: the solution's module for each borrowed module of ``steps``.
    """

    def __init__(self, folder: Path, borrowed: Mapping[str, str]) -> None:
        self.folder, self.borrowed = folder, borrowed

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> ModuleSpec | None:
        """Returns where a module of ``steps`` is; None for any other module.

        Raises:
            ModuleNotFoundError: the folder has no such file.
        """
        if not name.startswith("steps."):
            return None
        if solution := self.borrowed.get(name):
            return spec_of(name, ROOT.joinpath(*solution.split(".")), BorrowedLoader)
        return spec_of(name, self.folder / name.removeprefix("steps."), FreshLoader)


def spec_of(name: str, stem: Path, loader: type[SourceFileLoader]) -> ModuleSpec | None:
    """Returns how to import a file in Python or in Mojo.

    Args:
        name: the module's name.
        stem: the file's path, without the suffix.
        loader: what loads a file in Python.

    Raises:
        ModuleNotFoundError: there is no such file.
    """
    if (python := stem.with_suffix(".py")).exists():
        return spec_from_file_location(name, python, loader=loader(name, str(python)))
    if (mojo := stem.with_suffix(".mojo")).exists():
        return mojo_spec(name, mojo)
    # Another folder of the package's name may have such a file.
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def use_steps(folder: Path, borrowed: Mapping[str, str]) -> None:
    """Lets this process import ``steps`` from a folder, and what is borrowed.

    A later call replaces an earlier one. Modules that were imported stay as they are
    where they are in use; the next import reads the files again.
    """
    leave_steps()
    sys.meta_path.insert(0, StepFinder(folder, borrowed))


def current_steps() -> StepFinder:
    """Returns what decides now about ``import steps``: the course's folder at first."""
    finders = (f for f in sys.meta_path if isinstance(f, StepFinder))
    return next(finders, StepFinder(ROOT / "steps", {}))


def leave_steps() -> None:
    """Undoes ``use_steps``."""
    for name in [n for n in sys.modules if n.split(".")[0] == "steps"]:
        del sys.modules[name]
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, StepFinder)]
