"""Runs the code of the pages: ``python -m book.examples [--write] [PAGE …]``.

Blocks marked ``python run`` run in their page's order, in one namespace for the page. A
block marked ``text output`` right after one holds what it printed.
"""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from book.pages import SRC
from course.registry import ROOT
from runtime.defaults import INTERPRETED

EXAMPLE = re.compile(
    r"^```python run\n(?P<code>.*?)^```$(?:\n+```text output\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """A block of code and what its page says that it prints.

    Attributes:
        line: where the code starts in the page.
        output: None where the page does not say it.
    """

    line: int
    code: str
    output: str | None


class ExampleFailed(Exception):
    """A block of a page raised an exception; the message says which."""


def pages() -> list[str]:
    """The pages that have code to run."""
    texts = {path.stem: path.read_text() for path in SRC.glob("*.md")}
    return sorted(name for name, text in texts.items() if EXAMPLE.search(text))


def read(page: str) -> list[Example]:
    """The code of a page."""
    text = (SRC / f"{page}.md").read_text()
    return [
        Example(text.count("\n", 0, m.start("code")) + 1, m["code"], m["output"])
        for m in EXAMPLE.finditer(text)
    ]


def run(names: list[str]) -> dict[str, list[str]]:
    """Runs pages' code in a process of their own; returns what each block printed.

    Raises:
        ExampleFailed: a block does not run.
    """
    examples = {page: read(page) for page in names}
    codes = {page: [e.code for e in found] for page, found in examples.items()}
    done = subprocess.run(
        [sys.executable, "-m", "book.examples", "--inside"],
        cwd=ROOT,
        env=os.environ | INTERPRETED,
        input=json.dumps(codes),
        capture_output=True,
        text=True,
    )
    printed = json.loads(done.stdout or "{}")
    for page, found in examples.items():
        if (count := len(printed.get(page, []))) < len(found):
            error = done.stderr.strip().splitlines()[-1]
            place = f"book/src/{page}.md, the code at line {found[count].line}"
            raise ExampleFailed(f"{place}: {error}")
    return printed


def run_pages(codes: dict[str, list[str]]) -> None:
    """Runs pages on the CPU in float32, as the course does, and prints JSON."""
    from runtime.defaults import on_the_cpu
    from runtime.lazy_operations import collect_operations

    collect_operations()
    printed: dict[str, list[str]] = {page: [] for page in codes}
    try:
        with on_the_cpu():
            for page, blocks in codes.items():
                run_blocks(blocks, printed[page])
    finally:
        print(json.dumps(printed))


def run_blocks(blocks: list[str], printed: list[str]) -> None:
    """Runs one page's blocks in one namespace; adds what each printed."""
    scope = {"__name__": "__main__"}
    for block in blocks:
        with contextlib.redirect_stdout(io.StringIO()) as text:
            exec(compile(block, "the page", "exec"), scope)
        printed.append(text.getvalue())


def rewrite(page: str, printed: list[str]) -> None:
    """Puts what the code printed into the page's blocks of output."""
    path = SRC / f"{page}.md"
    outputs = iter(printed)

    def renewed(match: re.Match[str]) -> str:
        output = next(outputs)
        if match["output"] is None:
            return match[0]
        start, end = (place - match.start() for place in match.span("output"))
        return match[0][:start] + output + match[0][end:]

    path.write_text(EXAMPLE.sub(renewed, path.read_text()))


@click.command()
@click.argument("names", nargs=-1)
@click.option("--write", is_flag=True, help="put what is printed into the pages")
@click.option("--inside", is_flag=True, hidden=True)
def main(names: tuple[str, ...], write: bool, inside: bool) -> None:
    """Run the code of the pages named, or of all, and compare what it prints."""
    if inside:
        run_pages(json.load(sys.stdin))
        return
    try:
        printed = run([Path(name).stem for name in names] or pages())
    except (ExampleFailed, OSError) as error:
        sys.exit(str(error))
    if write:
        for page, texts in printed.items():
            rewrite(page, texts)
    elif stale := [page for page, texts in printed.items() if differing(page, texts)]:
        sys.exit(f"Other output than in the page: {', '.join(stale)} (try --write).")


def differing(page: str, printed: list[str]) -> list[int]:
    """Lines of the code that prints something else than the page says."""
    pairs = zip(read(page), printed, strict=True)
    return [e.line for e, text in pairs if e.output is not None and e.output != text]


if __name__ == "__main__":
    main()
