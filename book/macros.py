"""The macros of the pages, in double braces: ``{{number s08.share}}``."""

import json
import re
from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from book.card import chapter, skeleton, solution, task
from book.clone import clone
from book.drawing import drawings
from book.pages import (
    FIGURES,
    LOSSES,
    NUMBERS,
    REPORTS,
    TERMINALS,
    BookError,
    exercise_of,
    key_of,
)
from book.view import inside
from course.catalogue import load_mistakes
from course.mistakes import Mistake

PASSES = "What the check says when all is right"
INSEPARABLE = re.compile(r"(?<=\d) (?=%|(?:ms|[kMG]B)\b|± [\d.]+\))|(?<=[<±]) (?=\d)")

Expand = Callable[[str], str]


def figure(arguments: str, expand: Expand) -> str:
    """A drawing: ``NAME | alternative text | caption``."""
    name, alternative, caption = figure_parts(arguments)
    path = FIGURES / f"{name}.svg"
    if not path.exists():
        raise BookError(f"there is no figure {name!r}; a script must write {path.name}")
    return (
        f'<figure class="drawing">{drawings(path, alternative)}\n<figcaption>\n\n'
        f"{expand(caption)}\n\n</figcaption></figure>"
    )


def figure_parts(arguments: str) -> list[str]:
    """A figure's name, alternative text and caption."""
    parts = [part.strip() for part in arguments.split("|")]
    if len(parts) != 3 or not all(parts):
        raise BookError("a figure needs NAME | alternative text | caption")
    return parts


def number(arguments: str, expand: Expand) -> str:
    """A value that a script has computed: ``KEY.name``."""
    value = computed(arguments)
    if not isinstance(value, str):
        raise BookError(f"{arguments} is a table; write {{{{table {arguments}}}}}")
    return expand(value)


def table(arguments: str, expand: Expand) -> str:
    """Rows that a script has computed: ``KEY.name``. The first row is the header."""
    rows = computed(arguments)
    if not isinstance(rows, list):
        raise BookError(f"{arguments} is no table; write {{{{number {arguments}}}}}")
    return expand(as_markdown(rows))


def as_markdown(rows: list[list[str]]) -> str:
    """The rows of a table in Markdown; the first is the header."""
    head, *body = [[str(cell).replace("|", r"\|") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def computed(place: str) -> Any:
    """The value at ``KEY.name``."""
    name, _, field = place.partition(".")
    values = numbers_of(key_of(name))
    if field not in values:
        known = ", ".join(values) or "none; a script must write them"
        raise BookError(f"there is no number {place!r} (of {name} there are {known})")
    return values[field]


@cache
def numbers_of(key: str) -> dict[str, Any]:
    """All values of one page."""
    path = NUMBERS / f"{key}.json"
    return values_in(path) if path.exists() else {}


def values_in(path: Path) -> Any:
    """The values of a recorded file; no line breaks before a unit or beside ±."""
    text = path.read_text(encoding="utf-8")
    return json.loads(INSEPARABLE.sub("\N{NO-BREAK SPACE}", text))


def losses(arguments: str, expand: Expand) -> str:
    """What each known mistake of a step does to the embedded model, folded: ``KEY``."""
    exercise = exercise_of(arguments)
    path = LOSSES / f"{exercise.key}.json"
    if not path.exists():
        raise BookError(f"there is no table {path.name}; python -m book.mistake_losses")
    rows = values_in(path)
    count = len(rows) - 2  # without the head and the right model
    title = f"Step {exercise.short} · {exercise.title}: {count} mistakes"
    return folded("losses", title, expand(as_markdown(rows)))


def report(arguments: str, expand: Expand) -> str:
    """A check's report: ``KEY NAME`` for a mistake, and ``KEY``, folded, for none."""
    key, _, name = arguments.partition(" ")
    exercise = exercise_of(key)
    mistake = mistake_of(key, name) if name else None
    path = REPORTS / report_name(exercise.key, mistake)
    if not path.exists():
        raise BookError(
            f"there is no report {path.name}; python -m book.reports records"
        )
    printed = screen(path)
    return printed if mistake else folded("report", PASSES, printed)


def terminal(arguments: str, expand: Expand) -> str:
    """A recording of a terminal: ``NAME``."""
    path = TERMINALS / f"{arguments}.html"
    if not path.exists():
        raise BookError(
            f"there is no recording {arguments!r}; python -m book.terminals records"
        )
    return screen(path)


def screen(path: Path) -> str:
    """The HTML of a terminal with a recorded text."""
    text = path.read_text(encoding="utf-8").strip("\n")
    return f'<pre class="terminal"><code>{text}</code></pre>'


def folded(kind: str, title: str, text: str) -> str:
    """The HTML of a text that the reader opens. ``kind`` is its class."""
    return (
        f'<details class="{kind}"><summary>{escape(title)}</summary>\n\n'
        f"{text}\n\n</details>"
    )


def report_name(key: str, mistake: Mistake | None) -> str:
    """The file of a report."""
    words = re.findall(r"[a-z0-9]+", f"{key} {mistake.name if mistake else ''}".lower())
    return "-".join(words) + ".html"


def mistake(arguments: str, expand: Expand) -> str:
    """The catalogue's sentence about a mistake: ``KEY NAME``."""
    key, _, name = arguments.partition(" ")
    entry = mistake_of(key, name)
    return (
        f'<div class="mistake"><p class="name">{escape(entry.name)}</p>'
        f"<p>{escape(entry.says)}</p></div>"
    )


def mistake_of(key: str, name: str) -> Mistake:
    """An entry of the catalogue.

    Raises:
        BookError: the catalogue has no entry of that name.
    """
    known = {entry.name: entry for entry in load_mistakes(exercise_of(key))}
    if name not in known:
        names = ", ".join(known)
        raise BookError(f"{key} has no mistake {name!r} (there are {names})")
    return known[name]


MACROS: dict[str, Callable[[str, Expand], str]] = {
    "chapter": chapter,
    "clone": clone,
    "inside": inside,
    "task": task,
    "skeleton": skeleton,
    "solution": solution,
    "figure": figure,
    "number": number,
    "table": table,
    "losses": losses,
    "report": report,
    "terminal": terminal,
    "mistake": mistake,
}
