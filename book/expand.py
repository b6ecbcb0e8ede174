"""Expands in a page what mdBook does not know: macros, mathematics, coloured code."""

import re
from collections.abc import Callable

from book.listing import block
from book.macros import MACROS
from book.mathematics import display, inline
from book.pages import BookError

# In the order in which they are tried: nothing is expanded inside code and comments.
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


def expand(text: str) -> str:
    """Expands a piece of a page.

    Raises:
        BookError: something in it has no meaning; the message does not say where.
    """
    return SYNTAX.sub(expanded, text)


def expand_page(text: str, name: str) -> str:
    """Expands a page.

    Raises:
        BookError: something in it has no meaning; the message says where.
    """

    def located(match: re.Match[str]) -> str:
        try:
            return expanded(match)
        except BookError as error:
            line = text.count("\n", 0, match.start()) + 1
            raise BookError(f"book/src/{name}, line {line}: {error}.") from None

    return SYNTAX.sub(located, text)


def expanded(match: re.Match[str]) -> str:
    """What stands in the place of one piece of syntax."""
    kind = match.lastgroup
    if kind == "fence":
        return block(match["fence"], match["info"])
    if kind == "dollar":
        raise BookError(r"a dollar sign without its partner; \$ is a dollar sign")
    if kind in EXPANDERS:
        return EXPANDERS[kind](match[kind])
    return match[0]


def macro(text: str) -> str:
    """The result of one macro; what is Markdown in it is expanded in turn."""
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
