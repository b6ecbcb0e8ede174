"""Finds files in other folders that hide modules of Python or of the course.

Programs import this module first. It imports only what Python has loaded at its start:
anything else could come from such a file.
"""

import os
import site
import sys

from runtime.child_python import ROOT, search_after_packages

LIST = "PYTHONPATH"
# Packages without __init__.py: Python prefers a file of that name in a later folder.
WEAK = {"max"}
SUFFIXES = (".py", ".pyc", ".so")


class Foreign:
    """A folder that hides modules, because Python looks there first.

    Args:
        names: the hidden modules by their import names, such as ``numpy``.
        folder: the folder that hides them.
        cure: what to do about the folder.
    """

    def __init__(self, names: list[str], folder: str, cure: str) -> None:
        self.names, self.folder, self.cure = names, folder, cure

    @property
    def listed(self) -> str:
        """All names, separated by commas."""
        return ", ".join(self.names)

    def __str__(self) -> str:
        """Returns one sentence that says what is wrong, and one with the cure."""
        course = set(self.names).isdisjoint(sys.stdlib_module_names)
        home = "the course" if course else "Python"
        text = f"{self.listed} would come from {self.folder}, not from {home}."
        return f"{text} {self.cure}"


def refuse_foreign_packages() -> None:
    """Ends the program if any folder hides modules, with one line for each."""
    search_own_folders_late()
    if found := foreign_packages():
        sys.exit("\n".join(f"✗ {each}" for each in found))


def search_own_folders_late() -> None:
    """Lets Python search the current folder and the course's own after its packages.

    ``python -m`` looks in the current folder first. A learner's ``random.py`` there
    would replace Python's own module.
    """
    places = {ROOT, f"{ROOT}/steps", f"{ROOT}/tests", current_folder()}
    own = [p for p in sys.path if not p or {p, os.path.realpath(p)} & places]
    search_after_packages(list(dict.fromkeys(own)))


def current_folder() -> str:
    """Returns the current folder's path; empty if the folder was deleted."""
    try:
        return os.path.realpath(os.getcwd())
    except OSError:
        return ""


def foreign_packages() -> list[Foreign]:
    """Lists the folders that hide modules of Python or packages of the course."""
    folders = listed_folders()
    found = [Foreign(hidden_of_python(f), f, cure) for f, cure in folders.items()]
    if not any(each.names for each in found) and (folders := folders | user_folder()):
        needed = set(needed_packages())  # slow, and itself needs modules of Python
        found = [
            Foreign(sorted(needed & modules_in(f)), f, cure)
            for f, cure in folders.items()
        ]
    cure = "Give that file another name."
    own = {ROOT, *{current_folder(), ""} & set(sys.path)}
    found += [Foreign(sorted(WEAK & modules_in(f)), f, cure) for f in own]
    return [each for each in found if each.names]


def listed_folders() -> dict[str, str]:
    """Maps the folders that the person's settings put on Python's path to a cure."""
    cure = f"Take that folder out of {LIST}, or try: unset {LIST}"
    listed = os.environ.get(LIST, "").split(os.pathsep)
    return {folder: cure for folder in listed if folder}


def user_folder() -> dict[str, str]:
    """Maps the folder of the person's own packages to a cure, if Python uses it."""
    if not site.ENABLE_USER_SITE:
        return {}
    cure = "Python prefers your own packages. Try: export PYTHONNOUSERSITE=1"
    return {site.getusersitepackages(): cure}


def hidden_of_python(folder: str) -> list[str]:
    """Returns the modules of Python that a folder hides by the same name."""
    names = modules_in(folder) & sys.stdlib_module_names - {"test"}  # many have tests
    return sorted(name for name in names if not loaded_elsewhere(name, folder))


def loaded_elsewhere(name: str, folder: str) -> bool:
    """Says whether Python has loaded a module, as it does at its start, from itself."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return name in sys.modules and os.path.dirname(file or "") != folder


def modules_in(folder: str) -> set[str]:
    """Returns the names that ``import`` would find in a folder."""
    try:
        entries = os.listdir(folder)
    except OSError:
        return set()
    files = {entry.partition(".")[0] for entry in entries if entry.endswith(SUFFIXES)}
    return files | {
        entry
        for entry in entries
        if os.path.exists(os.path.join(folder, entry, "__init__.py"))
    }


def needed_packages() -> list[str]:
    """Returns the import names of the packages that pyproject.toml requires."""
    import re
    from importlib.metadata import PackageNotFoundError, requires

    try:
        listed = requires("gpt2-on-max") or []
    except PackageNotFoundError:  # the course is not installed
        return []
    lines = [line for line in listed if "extra ==" not in line]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines]
    return [name.replace("-", "_") for name in names]
