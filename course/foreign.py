"""Finds packages in other folders that hide those of the course's environment.

Programs import this module first, so it imports only the standard library.
"""

import os
import re
import site
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LIST = "PYTHONPATH"


@dataclass(frozen=True)
class Foreign:
    """A folder that hides packages of the course, because Python looks there first.

    Attributes:
        names: the hidden packages by their import names, such as ``numpy``.
        folder: the folder that hides them.
        cure: what to do about the folder.
    """

    names: list[str]
    folder: Path
    cure: str

    @property
    def listed(self) -> str:
        """All names, separated by commas."""
        return ", ".join(self.names)

    def __str__(self) -> str:
        """Returns one sentence that says what is wrong, and one with the cure."""
        text = f"{self.listed} would come from {self.folder}, not from the course."
        return f"{text} {self.cure}"


def foreign_packages() -> list[Foreign]:
    """Lists the folders that hide packages of the course."""
    found = []
    for folder, cure in earlier_folders():
        names = [name for name in needed_packages() if holds(folder, name)]
        if names:
            found.append(Foreign(names, folder, cure))
    return found


def refuse_foreign_packages() -> None:
    """Ends the program if any folder hides packages, with one line for each."""
    if found := foreign_packages():
        sys.exit("\n".join(f"✗ {each}" for each in found))


@cache
def needed_packages() -> list[str]:
    """Returns the import names of the packages that pyproject.toml requires."""
    from importlib.metadata import PackageNotFoundError, requires  # slow

    try:
        listed = requires("gpt2-on-max") or []
    except PackageNotFoundError:  # the course is not installed
        return []
    lines = [line for line in listed if "extra ==" not in line]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines]
    return [name.replace("-", "_") for name in names]


def earlier_folders() -> list[tuple[Path, str]]:
    """Lists folders that Python searches before the environment, with a cure each."""
    listed = filter(None, os.environ.get(LIST, "").split(os.pathsep))
    cure = f"Take that folder out of {LIST}, or try: unset {LIST}"
    folders = [(Path(folder), cure) for folder in listed]
    if site.ENABLE_USER_SITE:
        cure = "Python prefers your own packages. Try: export PYTHONNOUSERSITE=1"
        folders.append((Path(site.getusersitepackages()), cure))
    return folders


def holds(folder: Path, name: str) -> bool:
    """Says whether ``import name`` would find something in this folder."""
    return (folder / name / "__init__.py").exists() or (folder / f"{name}.py").exists()
