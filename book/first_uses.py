"""Finds ideas used before a page explains them: ``python -m book.first_uses``.

``first_uses.toml`` says where each idea is explained. The pages are read in the order
of the table of contents, as a reader reads them: with numbers, tables and reports. Not
read are drawings, sources, headings, names of exercises in tables, and the card.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import unescape
from itertools import chain
from pathlib import Path

from book.expand import expand_page
from book.pages import SRC
from book.summary import summary
from course.registry import load_registry

FILE = Path(__file__).with_suffix(".toml")
ORDER = re.compile(r"\]\((\w+)\.md\)")
CODE = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL)
UNREAD = re.compile(
    r"<!--.*?-->|<svg\b.*?</svg>|"
    r"<div class=\"card\">.*?</dl>|<p class=\"place\">.*?</p>",
    re.DOTALL,
)
LINK = re.compile(r"\[([^][]*)\]\([^)]*\)")
TAG = re.compile(r"<[^>]*>")
EMPHASIS = re.compile(r"`|\*+(?=\w)|(?<=[\w.)])\*+")
HEADING = re.compile(r"#+ (.*)")
NOT_READ = {"Sources"}  # headings whose passages are titles of papers
AROUND = 40  # characters that a report shows on each side of a word


@dataclass(frozen=True)
class Passage:
    """A paragraph, a table or a block of code, without its markup.

    Attributes:
        kind: "text", "run" for code that a test runs, "code" for other code.
    """

    page: str
    heading: str
    kind: str
    text: str


@dataclass(frozen=True)
class Idea:
    """An idea, or an operation of MAX.

    Attributes:
        words: patterns of its names, if one name is not enough; whole words, capitals
            or not. Those of an operation are case-sensitive.
        page, heading: the place that explains it; no heading is the page's beginning.
        says: words of the passage that explains it. An operation has none: what
            explains it is code that a test runs.
        but: phrases in which the words mean something else.
    """

    name: str
    page: str
    heading: str
    words: tuple[str, ...] = ()
    says: str = ""
    but: tuple[str, ...] = ()

    @property
    def is_operation(self) -> bool:
        """True for a name in code."""
        return not self.says

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds a use. A phrase of ``but`` is found too, without the group ``use``."""
        if self.is_operation:
            words = "|".join(self.words) or re.escape(self.name)
            return re.compile(rf"(?<!\w)(?P<use>{words})\b")
        words = "|".join(self.words) or re.escape(self.name) + "s?"
        other = "".join(rf"{phrase}|" for phrase in self.but)
        return re.compile(rf"\b(?:{other}(?P<use>{words}))\b", re.IGNORECASE)


def load_ideas() -> list[Idea]:
    """The ideas, then the operations, of the file."""
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [
        Idea(
            entry["name"],
            entry["page"],
            entry["heading"],
            tuple(entry.get("words", ())),
            entry.get("says", ""),
            tuple(entry.get("but", ())),
        )
        for entry in chain(data["idea"], data["operation"])
    ]


@cache
def passages() -> tuple[Passage, ...]:
    """All passages of the book, in reading order."""
    return tuple(chain.from_iterable(map(read_page, ORDER.findall(summary()))))


def read_page(page: str) -> Iterator[Passage]:
    """Yields the passages of one page."""
    text = (SRC / f"{page}.md").read_text(encoding="utf-8")
    heading = ""
    for piece in CODE.split(UNREAD.sub("", expand_page(text, f"{page}.md"))):
        if piece.startswith("<pre"):
            yield Passage(page, heading, kind_of(piece), plain(piece))
            continue
        for block in re.split(r"\n\s*\n", piece):
            if found := HEADING.match(block.strip()):
                heading = plain(found[1])
            elif heading not in NOT_READ and (words := plain(block)):
                yield Passage(page, heading, "text", words)


def kind_of(listing: str) -> str:
    """The kind of a ``<pre>`` element; a terminal and printed output are text."""
    classes = listing[: listing.index(">")]
    if "terminal" in classes or "output" in classes:
        return "text"
    return "run" if "run" in classes else "code"


def plain(markup: str) -> str:
    """The words of Markdown and HTML, on one line."""
    text = unescape(TAG.sub("", LINK.sub(r"\1", without_titles(markup))))
    return " ".join(EMPHASIS.sub("", text).split())


def without_titles(markup: str) -> str:
    """A table without the cells that are names of exercises."""
    for exercise in load_registry():
        markup = markup.replace(f"| {exercise.title} |", "| |")
    return markup


def explained(idea: Idea) -> int | None:
    """The index of the passage from which on an idea may be used.

    Returns:
        None if the named place does not exist or does not explain the idea.
    """
    section = [
        (n, passage)
        for n, passage in enumerate(passages())
        if (passage.page, passage.heading) == (idea.page, idea.heading)
    ]
    if idea.is_operation:  # the text around the example may name it
        shown = any(p.kind == "run" and idea.pattern.search(p.text) for _, p in section)
        return section[0][0] if shown else None
    return next((n for n, p in section if idea.says in p.text), None)


def early_uses(idea: Idea) -> Iterator[tuple[Passage, str]]:
    """Yields the passages that use an idea too early, with the words around it."""
    for passage in passages()[: explained(idea)]:
        if passage.kind != "text" and not idea.is_operation:
            continue
        for match in idea.pattern.finditer(passage.text):
            if match["use"]:
                start, end = max(0, match.start() - AROUND), match.end() + AROUND
                yield passage, passage.text[start:end]
                break


def main() -> None:
    """Prints each early use, and fails if there is one."""
    found = 0
    for idea in load_ideas():
        place = f"{idea.page} “{idea.heading}”"
        if explained(idea) is None:
            found += 1
            print(f"{idea.name}: {place} does not explain it")
            continue
        for passage, words in early_uses(idea):
            found += 1
            print(
                f"{idea.name} ({place}): {passage.page} “{passage.heading}” …{words}…"
            )
    print(f"{len(load_ideas())} ideas, {found} used before they are explained")
    sys.exit(found > 0)


if __name__ == "__main__":
    main()
