"""Records what the pages' code prints: ``python -m book.examples [--check] [PAGE …]``.

Blocks marked ``python run`` run in the page's order, in one namespace for each page.
A block marked ``text output`` holds what the block right before it printed.
"""

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from book.pages import SRC, BookError
from book.recorder import Made, Recorder
from course.registry import ROOT
from runtime.children import run_child
from runtime.defaults import INTERPRETED

EXAMPLE = re.compile(
    r"^```python run\n(?P<code>.*?)^```$(?:\n+```text output\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


INSIDE = ["--inside"]  # the argument with which this module runs the code


class ExampleFailed(BookError):
    """A block of a page raised an exception; the message names the block."""


def pages() -> list[str]:
    """The names of the pages that have code to run."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in SRC.glob("*.md")}
    return sorted(name for name, text in texts.items() if EXAMPLE.search(text))


def path_of(page: str) -> Path:
    """The file of a page."""
    return SRC / f"{page}.md"


def read(page: str) -> dict[int, str]:
    """The code blocks of a page, by the line where each starts."""
    text = path_of(page).read_text(encoding="utf-8")
    return {
        text.count("\n", 0, m.start("code")) + 1: m["code"]
        for m in EXAMPLE.finditer(text)
    }


def run(names: list[str]) -> dict[str, list[str]]:
    """Runs the code of pages in a new process; returns the output of each block.

    Raises:
        ExampleFailed: a block does not run.
    """
    codes = {page: read(page) for page in names}
    done = run_child(
        [sys.executable, "-m", "book.examples", *INSIDE],
        cwd=ROOT,
        env=os.environ | INTERPRETED,
        input=json.dumps({page: list(code.values()) for page, code in codes.items()}),
        capture_output=True,
        text=True,
    )
    printed = json.loads(done.stdout or "{}")
    for page, code in codes.items():
        if (count := len(printed.get(page, []))) < len(code):
            error = done.stderr.strip().splitlines()[-1]
            place = f"book/src/{page}.md, the code at line {list(code)[count]}"
            raise ExampleFailed(f"{place}: {error}")
    return printed


def run_pages(codes: dict[str, list[str]]) -> None:
    """Runs pages on the CPU in float32, as the course does, and prints JSON."""
    from runtime.defaults import on_the_cpu
    from runtime.direct.operations import rules

    printed: dict[str, list[str]] = {page: [] for page in codes}
    try:
        with on_the_cpu(), rules():
            for page, blocks in codes.items():
                run_blocks(blocks, printed[page])
    finally:
        print(json.dumps(printed))


def run_blocks(blocks: list[str], printed: list[str]) -> None:
    """Runs one page's blocks in one namespace; appends their output to ``printed``."""
    scope = {"__name__": "__main__"}
    for block in blocks:
        with contextlib.redirect_stdout(io.StringIO()) as text:
            exec(compile(block, "the page", "exec"), scope)
        printed.append(text.getvalue())


def renewed(page: str, printed: list[str]) -> str:
    """The page's text with new output in its blocks of output."""
    outputs = iter(printed)

    def replace(match: re.Match[str]) -> str:
        output = next(outputs)
        if match["output"] is None:
            return match[0]
        start, end = (place - match.start() for place in match.span("output"))
        return match[0][:start] + output + match[0][end:]

    return EXAMPLE.sub(replace, path_of(page).read_text(encoding="utf-8"))


def make(names: list[str]) -> Iterator[Made]:
    """Makes the given pages with the present output of their code."""
    for page, printed in run(names).items():
        yield Made(page, path_of(page), renewed(page, printed))


RECORDER = Recorder("book.examples", pages, make)

if __name__ == "__main__":
    if sys.argv[1:] == INSIDE:
        run_pages(json.load(sys.stdin))
    else:
        RECORDER.main()
