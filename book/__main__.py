"""Builds the book, or serves it to this machine: ``python -m book build|serve``."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from book.pages import BOOK, BUILD, SRC
from book.preprocess import SHOWS_PROGRESS
from book.summary import summary
from course.registry import ROOT

# What mdBook adds for its own theme, and what pages have taken in already.
UNUSED = ("*highlight-*", "tomorrow-night-*", "clipboard-*", "toc*", "fonts")
UNUSED += ("favicon-*.png", "numbers", "reports")


@click.group()
def main() -> None:
    """The book of the course."""


@main.command()
@click.option("--to", type=click.Path(path_type=Path), default=BUILD, help="a folder")
def build(to: Path) -> None:
    """Make the pages, in book/build or elsewhere."""
    folder = to.resolve()
    done = mdbook("build", "--dest-dir", str(folder), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(reason(done.stderr))
    warnings = [x for x in done.stderr.splitlines() if not x.startswith(" INFO")]
    print(*warnings, sep="\n", end="\n" * bool(warnings), file=sys.stderr)
    remove_unused(folder)
    print(f"The book begins at {folder / 'index.html'}")


@main.command()
@click.option("--port", default=3000, show_default=True, help="where on 127.0.0.1")
@click.option("--open/--no-open", "opens", default=True, help="show it in the browser")
def serve(port: int, opens: bool) -> None:
    """Build, serve to this machine alone, and build again on every change."""
    (ROOT / ".course").mkdir(exist_ok=True)  # watched for steps that pass
    os.environ[SHOWS_PROGRESS] = "1"
    options = ["--hostname", "127.0.0.1", "--port", str(port)]
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(mdbook("serve", *options, *["--open"] * opens).returncode)


def mdbook(command: str, *options: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """Runs mdBook on a current table of contents, with this Python for its helper."""
    write_summary()
    programs = Path(sys.executable).parent
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    # Python looks for packages here first, so nothing needs to be installed.
    env = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [programs / "mdbook", command, BOOK, *options], env=env, **how
    )


def remove_unused(folder: Path) -> None:
    """Deletes what no page refers to."""
    for pattern in UNUSED:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def write_summary() -> None:
    """Makes ``SUMMARY.md`` again; an unchanged file keeps its time."""
    path = SRC / "SUMMARY.md"
    if not path.exists() or path.read_text() != summary():
        path.write_text(summary())


def reason(stderr: str) -> str:
    """Our own sentence, or else everything that mdBook said."""
    lines = [line for line in stderr.splitlines() if line.startswith("book/src/")]
    return "\n".join(lines) or stderr.strip()


if __name__ == "__main__":
    main()
