"""Makes the pages with mdBook and deletes the files that no page needs."""

import os
import shutil
import sys
from pathlib import Path

from book.pages import BOOK, SRC, BookError
from book.preprocess import SHOWS_PROGRESS
from book.search import write_index
from book.summary import summary
from course.registry import ROOT
from runtime.children import run_child

# Files for mdBook's own theme, and files that are already part of the pages.
UNUSED = (
    *("*highlight-*", "tomorrow-night-*", "clipboard-*", "toc*", "fonts"),
    *("favicon-*.png", "figures", "numbers", "reports"),
)


def build_pages(folder: Path, *, shows_progress: bool = False) -> list[str]:
    """Makes the book in a folder; ``progress`` marks the steps that pass.

    Returns:
        mdBook's warnings.

    Raises:
        BookError: a page cannot be built.
    """
    write_summary()
    programs = Path(sys.executable).parent
    # mdBook starts our preprocessor with the first Python on the PATH.
    env = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    env["PYTHONPATH"] = str(ROOT)
    if shows_progress:
        env[SHOWS_PROGRESS] = "1"
    command = [str(programs / "mdbook"), "build", str(BOOK), "--dest-dir", str(folder)]
    done = run_child(command, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise BookError(reason(done.stderr))
    remove_unused(folder)
    write_index(folder)
    return [x for x in done.stderr.splitlines() if not x.startswith(" INFO")]


def write_summary() -> None:
    """Writes ``SUMMARY.md`` if its content has changed."""
    path = SRC / "SUMMARY.md"
    if not path.exists() or path.read_text() != summary():
        path.write_text(summary())


def remove_unused(folder: Path) -> None:
    """Deletes the files that no page refers to."""
    for pattern in UNUSED:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def reason(stderr: str) -> str:
    """Our own error message if there is one, else all that mdBook printed."""
    lines = [line for line in stderr.splitlines() if line.startswith("book/src/")]
    return "\n".join(lines) or stderr.strip()
