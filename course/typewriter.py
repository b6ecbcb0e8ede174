"""Prints a text that arrives in pieces."""

import re

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

PARTS = re.compile(r"\s|\S+")
NEWLINE = "↵"


class Typewriter:
    """Prints pieces of a text as a paragraph. A word appears once it is complete.

    Args:
        console: where to print.
        indent: blanks at the beginning of each line.
    """

    def __init__(self, console: Console, indent: int = 2) -> None:
        self.console, self.indent = console, indent
        self._word = Text()
        self._column = 0  # 0 before the first word of a paragraph

    def feed(self, text: str, style: str = "") -> None:
        """Adds a piece, and prints the words that it completes."""
        for part in PARTS.findall(text.replace("\n", f" {NEWLINE} ")):
            if part.isspace():
                self._print_word()
            else:
                self._word.append(printable(part), style)

    def finish(self) -> None:
        """Ends the paragraph, if one has begun."""
        self._print_word()
        if self._column:
            self.console.print()
        self._column = 0

    def _print_word(self) -> None:
        width = self.console.width - self.indent
        for part in chopped(self._word, width):
            space = 1 if self._column else 0
            if self._column and self._column + space + part.cell_len > width:
                self.console.print()
                self._column = space = 0
            before = " " * (space if self._column else self.indent)
            self.console.print(Text(before) + part, end="", soft_wrap=True)
            self._column += space + part.cell_len
        self._word = Text()


def chopped(word: Text, width: int) -> list[Text]:
    """Cuts a word that is wider than a line."""
    if cell_len(word.plain) <= width:
        return [word] if word.plain else []
    return [Text(part, word.style) for part in chop_cells(word.plain, width)]


def printable(text: str) -> str:
    """Replaces characters that a terminal would obey, such as Escape."""
    shown = (c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return "".join(shown)
