"""Makes a chapter's page into a notebook: its prose, and its code as cells to run.

Equations stay in TeX and macros become Markdown, since a notebook has neither the
book's style sheets nor its scripts.
"""

import hashlib
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from book import examples
from book.expand import SYNTAX
from book.listing import language_of
from book.macros import MACROS, figure_parts
from book.pages import FIGURES, SRC, BookError, exercise_of
from course.registry import ROOT

NOTEBOOKS = ROOT / "build" / "notebooks"
KERNEL, KERNEL_TITLE = "gpt2-on-max", "GPT-2 on MAX"
PAPER = "#fdfdfc"  # under figures, whose colours are those of the light theme
REST = "<details><summary>The rest of the answer</summary>\n\n"
MADE = "made_from"  # the key of a notebook's metadata for ``fingerprint``
PAGE_LINK = re.compile(r"""(?<=[("])(?P<page>\w+)\.md(?:#[\w-]+)?(?=[)"])""")


def notebook(page: str) -> Any:
    """A page as a notebook of format 4, without outputs.

    Raises:
        BookError: the page has an error.
    """
    cells: list[Any] = []
    folded = False  # within an answer that the reader has not opened
    for kind, text in parts((SRC / f"{page}.md").read_text(encoding="utf-8")):
        place = f"{page}-{len(cells)}"
        if kind == "code":
            hidden = {"jupyter": {"source_hidden": True, "outputs_hidden": True}}
            metadata = hidden if folded else {}
            cells.append(new_code_cell(text, id=place, metadata=metadata))
            continue
        text = REST * folded + linked(text)
        if folded := text.count("<details") > text.count("</details>"):
            text += "\n\n</details>"
        cells.append(new_markdown_cell(text, id=place))
    names = {"name": KERNEL, "display_name": KERNEL_TITLE, "language": "python"}
    made = new_notebook(cells=cells, metadata={"kernelspec": names})
    made.metadata[MADE] = fingerprint(made)
    return made


def parts(text: str) -> list[tuple[str, str]]:
    """The cells of a page: kinds, ``prose`` or ``code``, and texts."""
    found, prose, end = [], "", 0
    for match in SYNTAX.finditer(text):
        prose += text[end : match.start()]
        end = match.end()
        info = (match["info"] or "").split()
        if info == ["python", "run"]:
            found += [("prose", prose.strip()), ("code", match["fence"].rstrip())]
            prose = ""
        elif info != ["text", "output"]:  # the cell prints it
            prose += macro(match["macro"]) if match["macro"] else match[0]
    found.append(("prose", (prose + text[end:]).strip()))
    return [(kind, cell) for kind, cell in found if cell]


def plain(text: str) -> str:
    """Markdown with its macros expanded; equations and code stay as they are."""
    return SYNTAX.sub(lambda m: macro(m["macro"]) if m["macro"] else m[0], text)


def macro(text: str) -> str:
    """The Markdown of one macro."""
    name, _, arguments = text.strip().partition(" ")
    if name not in MACROS:
        raise BookError(f"there is no macro {name!r}")
    return (OWN.get(name) or MACROS[name])(arguments.strip(), plain)


def chapter(arguments: str, expand: Callable[[str], str]) -> str:
    """A chapter's title, what it is about, and the reader's own file."""
    exercise = exercise_of(arguments)
    return (
        f"# {exercise.label}\n\n{exercise.summary}\n\n"
        f"You write `{exercise.step_path}`; `pixi run {exercise.key}` or "
        f"`uv run {exercise.key}` checks it."
    )


def figure(arguments: str, expand: Callable[[str], str]) -> str:
    """A drawing and its caption."""
    name, alternative, caption = figure_parts(arguments)
    address = Path("../..") / FIGURES.relative_to(ROOT) / f"{name}.svg"
    return (
        f'<img src="{address.as_posix()}" alt="{escape(alternative)}" '
        f'style="background-color: {PAPER}">\n\n{expand(caption)}'
    )


def skeleton(arguments: str, expand: Callable[[str], str]) -> str:
    """The untouched skeleton."""
    return fenced(exercise_of(arguments).skeleton_path)


def solution(arguments: str, expand: Callable[[str], str]) -> str:
    """The solution, folded."""
    code = fenced(exercise_of(arguments).solution_path)
    return f"<details><summary>Show the solution</summary>\n\n{code}\n\n</details>"


def fenced(path: Path) -> str:
    """A file of the course as a block of code."""
    code = (ROOT / path).read_text(encoding="utf-8").rstrip()
    return f"```{language_of(path.name)}\n{code}\n```"


def linked(text: str) -> str:
    """Prose whose links to chapters lead to their notebooks, others to the pages."""
    known = set(examples.pages())

    def target(match: re.Match[str]) -> str:
        page = match["page"]
        pages = Path("../..") / SRC.relative_to(ROOT)
        return f"{page}.ipynb" if page in known else f"{pages.as_posix()}/{page}.md"

    return PAGE_LINK.sub(target, text)


def fingerprint(made: Any) -> str:
    """A number for a notebook's texts, without outputs: a change of them changes it."""
    texts = "\0".join(f"{cell.cell_type}\0{cell.source}" for cell in made.cells)
    return hashlib.sha256(texts.encode()).hexdigest()


OWN: dict[str, Callable[[str, Callable[[str], str]], str]] = {
    "chapter": chapter,
    "figure": figure,
    "skeleton": skeleton,
    "solution": solution,
}
