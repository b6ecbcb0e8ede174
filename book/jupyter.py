"""Writes the notebooks, and opens them in JupyterLab with the course's own kernel."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

from book import examples
from book.notebooks import (
    KERNEL,
    KERNEL_TITLE,
    MADE,
    NOTEBOOKS,
    fingerprint,
    notebook,
)
from book.pages import BookError, exercise_of
from course.folders import writable
from course.registry import ROOT
from runtime.child_python import python_command
from runtime.defaults import INTERPRETED

SETTINGS = (
    "--ServerApp.allow_root=True",  # in a container; only this machine reaches it
    "--ServerApp.log_level=WARN",
)
# This part of JupyterLab asks other servers for news and for newer versions.
ANNOUNCES = "@jupyterlab/apputils-extension:announcements"


def open_notebooks(name: str | None, *, opens: bool) -> None:
    """Writes all notebooks and serves them on this machine until Ctrl-C.

    Args:
        name: the exercise or page to show; None shows the folder.
        opens: whether the browser opens.

    Raises:
        BookError: the name is unknown, or the folder cannot be written.
    """
    page = page_of(name) if name else None
    if not writable(NOTEBOOKS):
        raise BookError(f"{NOTEBOOKS} cannot be written: this user may not.")
    print(*write_all(NOTEBOOKS), sep="\n", flush=True)
    shown = NOTEBOOKS / f"{page}.ipynb" if page else NOTEBOOKS
    command = [
        *(sys.executable, "-m", "jupyterlab", *SETTINGS),
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url=/lab/tree/{shown.relative_to(ROOT).as_posix()}",
        *["--no-browser"] * (not opens),
    ]
    os.chdir(ROOT)
    os.execve(sys.executable, command, os.environ | jupyter_paths(NOTEBOOKS))


def page_of(name: str) -> str:
    """The page of an exercise or of a file; a page without code has no notebook."""
    known = examples.pages()
    page = name if name in known else exercise_of(name).file
    if page not in known:
        raise BookError(f"{page} has no code to run.")
    return page


def write_all(folder: Path) -> Iterator[str]:
    """Writes every page's notebook; yields sentences about those that stay."""
    folder.mkdir(parents=True, exist_ok=True)
    write_settings(folder)
    for page in examples.pages():
        if sentence := write(page, folder):
            yield sentence
    yield f"The notebooks are in {folder}."


def write(page: str, folder: Path) -> str:
    """Writes a page's notebook, unless the reader has changed the one that is there.

    Returns:
        A sentence if a notebook stays that is not the chapter's present one.
    """
    path, made = folder / f"{page}.ipynb", notebook(page)
    if path.exists():
        try:
            there = nbformat.read(path, as_version=4)
        except (ValueError, OSError):  # a damaged file, or one of another format
            return f"{path} cannot be read, so it stays. Rename it to get a new one."
        source = there.metadata.get(MADE)
        if source == made.metadata[MADE]:
            return ""  # with the reader's changes and outputs
        if source != fingerprint(there):
            return (
                f"{path} has your changes, so it stays, although the chapter is "
                "newer. Rename it to get the new one."
            )
    nbformat.write(made, path)
    return ""


def write_settings(folder: Path) -> None:
    """Describes the kernel for Jupyter, and what JupyterLab leaves out.

    The kernel is this Python with the course's settings.
    """
    program = python_command("from book.kernel import main; main()")
    kernel = {
        "argv": [*program, "-f", "{connection_file}"],
        "display_name": KERNEL_TITLE,
        "language": "python",
        "env": INTERPRETED | {"PYTHONNOUSERSITE": "1"},
    }
    files = {
        f"kernels/{KERNEL}/kernel.json": kernel,
        "labconfig/page_config.json": {"disabledExtensions": {ANNOUNCES: True}},
    }
    for name, content in files.items():
        path = folder / ".jupyter" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def jupyter_paths(folder: Path) -> dict[str, str]:
    """The variables by which Jupyter finds the files of ``write_settings``."""
    own = str(folder / ".jupyter")
    return {
        name: os.pathsep.join(filter(None, [own, os.environ.get(name, "")]))
        for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH")
    }
