"""Writes the index of the book's search: the text of every section of every page."""

import json
from html.parser import HTMLParser
from pathlib import Path

HEADINGS = ("h1", "h2", "h3", "dt")  # a term that can be linked is a section, too
# The index leaves out equations, drawings and files: it is for the text of the book.
SKIPPED = ("math", "svg", "script", "style", "pre", "button")


class Sections(HTMLParser):
    """The sections of one page: heading's identifier, title and text of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[list[str]] = []
        self.skipping = 0
        self.in_main = self.in_heading = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_main |= tag == "main"
        self.skipping += tag in SKIPPED
        place = dict(attrs).get("id") or ""
        if self.in_main and tag in HEADINGS and (place or tag != "dt"):
            self.in_heading = True
            self.found.append([place, "", ""])

    def handle_endtag(self, tag: str) -> None:
        self.in_main &= tag != "main"
        self.skipping -= tag in SKIPPED
        self.in_heading &= tag not in HEADINGS

    def handle_data(self, data: str) -> None:
        if self.in_main and self.found and not self.skipping:
            self.found[-1][1 if self.in_heading else 2] += data


def write_index(folder: Path) -> None:
    """Writes ``search-index.js`` into the folder of the built pages."""
    pages = [path for path in sorted(folder.glob("*.html")) if is_searched(path)]
    index = {path.name: sections(path.read_text(encoding="utf-8")) for path in pages}
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    (folder / "search-index.js").write_text(
        f"window.searchIndex={text}\n", encoding="utf-8"
    )


def is_searched(page: Path) -> bool:
    """True if the search covers a page. ``index.html`` repeats the first page."""
    return page.stem not in ("index", "404", "toc")


def sections(html: str) -> list[list[str]]:
    """A page's sections, with each run of whitespace as one blank."""
    return [[" ".join(part.split()) for part in s] for s in Sections(html).found]
