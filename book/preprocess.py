"""The preprocessor that mdBook runs: expands every page before mdBook renders it.

mdBook first runs ``python -m book.preprocess supports RENDERER``. Then it sends the
book as JSON and reads the expanded book.
"""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from book.expand import expand_page
from book.pages import BookError, key_of
from course.registry import load_registry
from course.state import Progress

# ``book serve`` sets this variable: the contents then mark the passed exercises.
SHOWS_PROGRESS = "BOOK_SHOWS_PROGRESS"


def chapters(items: list[Any]) -> Iterator[dict[str, Any]]:
    """Every chapter that has a page, nested chapters too."""
    for item in items:
        if chapter := isinstance(item, dict) and item.get("Chapter"):
            if chapter["path"]:
                yield chapter
            yield from chapters(chapter["sub_items"])


def passed() -> set[str]:
    """The keys of the exercises that pass with the learner's files."""
    if SHOWS_PROGRESS not in os.environ:
        return set()
    progress = Progress()
    return {e.key for e in load_registry() if progress.status(e) == "passed"}


def preprocess(book: dict[str, Any]) -> None:
    """Expands the pages in place, and marks the exercises that pass."""
    done = passed()
    for chapter in chapters(book["items"]):
        chapter["content"] = expand_page(chapter["content"], chapter["path"])
        if key_of(chapter["path"]) in done:
            chapter["name"] += " ✓"


def main() -> None:
    """Answers one call of mdBook."""
    if sys.argv[1:2] == ["supports"]:
        sys.exit(sys.argv[2:] != ["html"])
    _, book = json.load(sys.stdin)
    try:
        preprocess(book)
    except BookError as error:
        sys.exit(str(error))
    json.dump(book, sys.stdout)


if __name__ == "__main__":
    main()
