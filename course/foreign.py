"""Packages that Python would take from elsewhere than the course's environment.

A program imports this first, so only Python's own modules are imported here.
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
    """Packages of the course that a folder hides, because Python looks there first.

    Attributes:
        names: what is imported from there, such as ``numpy``.
        folder: where they lie.
        cure: what to do about it.
    """

    names: list[str]
    folder: Path
    cure: str

    @property
    def listed(self) -> str:
        """The names in one line."""
        return ", ".join(self.names)

    def __str__(self) -> str:
        """One sentence that says what is wrong, and one with the cure."""
        text = f"{self.listed} would come from {self.folder}, not from the course."
        return f"{text} {self.cure}"


def foreign_packages() -> list[Foreign]:
    """Finds them in the folders that come before the environment's own."""
    found = []
    for folder, cure in earlier_folders():
        names = [name for name in needed_packages() if holds(folder, name)]
        if names:
            found.append(Foreign(names, folder, cure))
    return found


def refuse_foreign_packages() -> None:
    """Ends the program with one sentence for each such folder, if there is any."""
    if found := foreign_packages():
        sys.exit("\n".join(f"✗ {each}" for each in found))


@cache
def needed_packages() -> list[str]:
    """The names under which what pyproject.toml lists is imported."""
    from importlib.metadata import PackageNotFoundError, requires  # takes its time

    try:
        listed = requires("gpt2-on-max") or []
    except PackageNotFoundError:  # run from a folder, without an installation
        return []
    lines = [line for line in listed if "extra ==" not in line]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines]
    return [name.replace("-", "_") for name in names]


def earlier_folders() -> list[tuple[Path, str]]:
    """Folders of a person's own that Python asks before the environment's packages."""
    listed = filter(None, os.environ.get(LIST, "").split(os.pathsep))
    cure = f"Take that folder out of {LIST}, or try: unset {LIST}"
    folders = [(Path(folder), cure) for folder in listed]
    if site.ENABLE_USER_SITE:
        cure = "Python prefers your own packages. Try: export PYTHONNOUSERSITE=1"
        folders.append((Path(site.getusersitepackages()), cure))
    return folders


def holds(folder: Path, name: str) -> bool:
    """Whether ``import name`` would find something in this folder."""
    return (folder / name / "__init__.py").exists() or (folder / f"{name}.py").exists()
