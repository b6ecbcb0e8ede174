"""Expands macros, mathematics and coloured code, which mdBook does not know."""

import re
from collections.abc import Callable

from book.listing import block
from book.macros import MACROS
from book.mathematics import display, inline
from book.pages import BookError

# The first alternative that matches wins: code and comments are never expanded.
SYNTAX = re.compile(
    r"""
      ^(?P<mark>`{3,}|~{3,})(?P<info>[^\n]*)\n (?P<fence>.*?) ^(?P=mark)[ \t]*$
    | (?P<comment> <!-- .*? --> )
    | (?P<code> (?P<ticks>`+) (?:(?!\n\n).)+? (?<!`)(?P=ticks)(?!`) )
    | (?P<escaped> \\\$ )
    | \$\$ (?P<display> (?:(?!\n\n)[^$])+ ) \$\$
    | \$ (?P<inline> (?=\S) (?:(?!\n\n)[^$])+? (?<=\S) ) \$
    | (?P<dollar> \$ )
    | \{\{ \s* (?P<macro> (?:(?!\n\n).)+? ) \s* \}\}
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
MACRO = re.compile(rf"\{{\{{\s*(?:{'|'.join(MACROS)})\s")


def expand(text: str) -> str:
    """Expands a piece of a page.

    Raises:
        BookError: the text has an error; the message does not say where.
    """
    return SYNTAX.sub(expanded, text)


def expand_page(text: str, name: str) -> str:
    """Expands a page.

    Raises:
        BookError: the page has an error; the message names the page and the line.
    """

    def located(match: re.Match[str]) -> str:
        try:
            return expanded(match)
        except BookError as error:
            line = text.count("\n", 0, match.start()) + 1
            raise BookError(f"book/src/{name}, line {line}: {error}.") from None

    return SYNTAX.sub(located, text)


def expanded(match: re.Match[str]) -> str:
    """The text that replaces one match of ``SYNTAX``."""
    kind = match.lastgroup
    if kind in ("fence", "code") and MACRO.search(match[0]):
        raise BookError("a macro in code, where none is expanded")
    if kind == "fence":
        return block(match["fence"], match["info"])
    if kind == "dollar":
        raise BookError(r"a dollar sign without its partner; \$ is a dollar sign")
    if kind in EXPANDERS:
        return EXPANDERS[kind](match[kind])
    return match[0]


def macro(text: str) -> str:
    """The result of one macro. A macro expands Markdown in its arguments itself."""
    name, _, arguments = text.partition(" ")
    if name not in MACROS:
        known = ", ".join(MACROS)
        raise BookError(f"there is no macro {name!r} (there are {known})")
    return MACROS[name](arguments.strip(), expand)


EXPANDERS: dict[str, Callable[[str], str]] = {
    "display": display,
    "inline": inline,
    "macro": macro,
}
