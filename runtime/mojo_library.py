"""Builds shared libraries of Mojo text, and keeps them: a build takes seconds."""

import ctypes
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from runtime.announce import Announce
from runtime.compilation_cache import cache_path

ERROR = re.compile(r"^(?P<file>.+):(?P<line>\d+):(?P<column>\d+): error: (?P<said>.+)$")
MAIN = "main"  # the name of the file that exports functions


class MojoError(SyntaxError):
    """Mojo cannot compile a text; ``filename`` is the text's name."""


def load_library(
    texts: Mapping[str, str], what: str, announce: Announce
) -> ctypes.CDLL:
    """Opens the library of some Mojo files; builds it if none is kept.

    Args:
        texts: the files' texts by name, without the suffix; ``main`` exports functions.
        what: a name for the library, which ``announce`` gets.
        announce: surrounds a build.

    Raises:
        MojoError: Mojo refuses a text; the first error counts.
        RuntimeError: there is no compiler, or it fails in another way.
    """
    from max.driver import CPU

    CPU()  # functions that use all cores crash unless MAX's threads are there
    kept = cache_path("Mojo", sorted(texts.items())).with_suffix(".so")
    if kept.exists():
        return ctypes.CDLL(str(kept))
    with announce(what, None), TemporaryDirectory() as folder:
        built = build(texts, Path(folder))
        with suppress(OSError):  # this user may not write there, or the disk is full
            keep(built, kept)
        return ctypes.CDLL(str(built))


def build(texts: Mapping[str, str], folder: Path) -> Path:
    """Builds a library in a folder; raises what ``load_library`` raises."""
    from mojo.run import subprocess_run_mojo

    for name, text in texts.items():
        (folder / f"{name}.mojo").write_text(text, encoding="utf-8")
    main, library = folder / f"{MAIN}.mojo", folder / f"{MAIN}.so"
    arguments = ["build", "--emit", "shared-lib", str(main), "-o", str(library)]
    done = subprocess_run_mojo(arguments, capture_output=True, text=True)
    if not library.exists():
        raise first_error(done.stderr, texts)
    return library


def first_error(said: str, texts: Mapping[str, str]) -> Exception:
    """Makes an exception of the first error that Mojo prints."""
    for line in said.splitlines():
        if found := ERROR.match(line):
            name, number = Path(found["file"]).stem, int(found["line"])
            lines = texts.get(name, "").splitlines()
            text = lines[number - 1] if number <= len(lines) else ""
            place = name, number, int(found["column"]), text.strip()
            return MojoError(found["said"], place)
    last = (said.strip().splitlines() or ["it says nothing"])[-1]
    return RuntimeError(f"Mojo's compiler fails: {last}")


def keep(built: Path, path: Path) -> None:
    """Copies a library completely or not at all; two runs may do it at one time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    shutil.copyfile(built, unfinished)
    unfinished.replace(path)
