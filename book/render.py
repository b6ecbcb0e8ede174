"""Makes the pages with mdBook and deletes the files that no page needs."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from book.lab.weights import write_weights
from book.pages import BOOK, SRC, BookError
from book.preprocess import SHOWS_PROGRESS
from book.search import write_index
from book.summary import summary
from course.folders import writable
from runtime.child_python import python_command
from runtime.children import run_child

PREPROCESS = "from book.preprocess import main; main()"
# Files for mdBook's own theme, and files that are already part of the pages.
UNUSED = (
    *("*highlight-*", "tomorrow-night-*", "clipboard-*", "toc*", "fonts"),
    *("favicon-*.png", "figures", "numbers", "reports", "terminals", "losses"),
)


def build_pages(folder: Path, *, shows_progress: bool = False) -> list[str]:
    """Makes the book in a folder; ``progress`` marks the steps that pass.

    Returns:
        mdBook's warnings.

    Raises:
        BookError: a page cannot be built, or the folder cannot be written.
    """
    if not writable(folder):
        raise BookError(f"{folder} cannot be written: this user may not.")
    write_summary()
    programs = Path(sys.executable).parent
    preprocessor = shlex.join(python_command(PREPROCESS))
    env = os.environ | {"MDBOOK_preprocessor__course__command": preprocessor}
    env["PYTHONIOENCODING"] = "utf-8"  # mdBook's encoding, whatever the terminal's
    if shows_progress:
        env[SHOWS_PROGRESS] = "1"
    command = [str(programs / "mdbook"), "build", str(BOOK), "--dest-dir", str(folder)]
    done = run_child(
        command, env=env, capture_output=True, encoding="utf-8", errors="replace"
    )
    if done.returncode != 0:
        raise BookError(reason(done.stderr))
    remove_unused(folder)
    write_index(folder)
    write_weights(folder)
    return [x for x in done.stderr.splitlines() if not x.startswith(" INFO")]


def write_summary() -> None:
    """Writes ``SUMMARY.md`` if its content has changed."""
    path = SRC / "SUMMARY.md"
    if not path.exists() or path.read_text(encoding="utf-8") != summary():
        path.write_text(summary(), encoding="utf-8")


def remove_unused(folder: Path) -> None:
    """Deletes the files that no page refers to."""
    for pattern in UNUSED:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def reason(stderr: str) -> str:
    """Our own error message if there is one, else all that mdBook printed."""
    lines = [line for line in stderr.splitlines() if line.startswith("book/src/")]
    return "\n".join(lines) or stderr.strip()
