"""Recorders: scripts that make files of this repository and find the stale ones.

Each is a command, such as ``python -m book.reports [--check] [NAME …]``. ``course dev
refresh`` and ``course dev check`` run all of them.
"""

import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from book.pages import BookError
from course.commands import runner
from course.registry import ROOT


@dataclass(frozen=True)
class Made:
    """A recorded file with the content that the code makes now.

    Attributes:
        name: the arguments with which the recorder's command makes it.
        path: where the file is.
        text: its new content; None for a file that nothing makes any more.
        agree: returns True if the kept and the new text differ by rounding alone.
    """

    name: str
    path: Path
    text: str | None
    agree: Callable[[str, str], bool] = operator.eq

    @property
    def stale(self) -> bool:
        """True if the kept file is missing, damaged, left over or different."""
        if self.text is None or not self.path.exists():
            return True
        try:
            return not self.agree(self.path.read_text(encoding="utf-8"), self.text)
        except (ValueError, LookupError, TypeError):
            return True

    def write(self) -> None:
        """Writes the new content, or deletes a file that nothing makes any more."""
        if self.text is None:
            self.path.unlink()
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.text, encoding="utf-8", newline="\n")


@dataclass(frozen=True)
class Recorder:
    """A script that records files.

    Attributes:
        module: the script's name for ``python -m``.
        names: lists the script's parts.
        make: makes the files of the given parts.
        kept: lists all recorded files, left over ones too.
    """

    module: str
    names: Callable[[], list[str]]
    make: Callable[[list[str]], Iterable[Made]]
    kept: Callable[[], Iterable[Path]] = tuple

    def stale(self, names: Sequence[str] = ()) -> Iterator[Made]:
        """Yields the stale files of the given parts, or of all parts.

        Raises:
            BookError: a name is unknown, or a part cannot be made.
        """
        if unknown := set(names) - set(known := self.names()):
            wrong = ", ".join(sorted(unknown))
            raise BookError(f"there is no {wrong} (there are {', '.join(known)})")
        paths = set()
        for made in self.make(list(names) or known):
            paths.add(made.path)
            if made.stale:
                yield made
        if not names:
            for path in sorted(set(self.kept()) - paths):
                yield Made("", path, None)

    def main(self) -> None:
        """Runs the recorder's command, whose arguments are names of parts."""

        @click.command(help="Make stale files again; other files stay untouched.")
        @click.argument("names", nargs=-1, metavar="[NAME]...")
        @click.option("--check", is_flag=True, help="only list stale files")
        def command(names: tuple[str, ...], check: bool) -> None:
            self.finish([Path(name).stem for name in names], check=check)

        command(prog_name=f"python -m {self.module}")

    def finish(self, names: Sequence[str] = (), *, check: bool) -> NoReturn:
        """Runs and ends the program; an error is one sentence."""
        try:
            sys.exit(self.run(names, check=check))
        except BookError as error:
            sys.exit(f"{self.module} cannot record: {error}.")

    def run(self, names: Sequence[str], *, check: bool) -> int:
        """Makes or reports stale files, one line for each; returns the exit code."""
        code = 0
        for made in self.stale(names):
            line = str(made.path.relative_to(ROOT))
            if check:
                code = 1
                line += f" is stale: {runner()} python -m {self.module} {made.name}"
            else:
                made.write()
            print(line.rstrip(), flush=True)
        return code
