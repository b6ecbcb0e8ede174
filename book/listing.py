"""Colours the book's code at build time."""

from html import escape
from itertools import groupby
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Token
from pygments.util import ClassNotFound

from book.pages import BookError

# Kinds of token and their classes in book/theme/css/code.css; the first match counts.
CLASSES = {
    Token.Comment: "comment",
    Token.Literal.String.Doc: "comment",
    Token.Literal.String: "string",
    Token.Literal.Number: "literal",
    Token.Keyword: "keyword",
    Token.Operator.Word: "keyword",
    Token.Name.Function: "defined",
    Token.Name.Class: "defined",
    Token.Name.Decorator: "decorator",
    Token.Generic.Prompt: "prompt",
}


def block(code: str, info: str) -> str:
    """The HTML of a fenced block; ``info`` is its language and its purpose.

    A test runs ``python run``; ``text output`` is the output of such a block.
    """
    language, _, purpose = info.strip().partition(" ")
    if purpose not in ("", "run", "output"):
        raise BookError(f"a block of code for {purpose!r} (known are run and output)")
    return pre(code, language, purpose)


def pre(code: str, language: str, *classes: str) -> str:
    """The HTML of coloured code.

    Raises:
        BookError: Pygments does not know the language.
    """
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        raise BookError(
            f"a block of code in an unknown language {language!r}"
        ) from None
    names = " ".join(filter(None, ["code", *classes]))
    return f'<pre class="{names}"><code>{coloured(code, lexer)}</code></pre>'


def coloured(code: str, lexer: Lexer) -> str:
    """Code as HTML; each coloured token has a class."""
    html = ""
    for name, tokens in groupby(lexer.get_tokens(code), key=lambda t: class_of(t[0])):
        text = escape("".join(text for _, text in tokens), quote=False)
        html += f'<span class="{name}">{text}</span>' if name else text
    return html


def class_of(kind: Any) -> str:
    """The CSS class for Pygments' kind of token; most kinds have none."""
    return next((name for parent, name in CLASSES.items() if kind in parent), "")


def language_of(name: str) -> str:
    """The language of a file, as Pygments calls it."""
    return get_lexer_for_filename(name).aliases[0]


def file(name: str, code: str, anchor: str = "") -> str:
    """The HTML of a whole file under its name. ``anchor`` is where a link leads.

    A blank line ends a block of HTML in Markdown, unless the block begins with <pre.
    """
    place = f' id="{anchor}"' if anchor else ""
    head = f'<div class="listing"{place}>\n<p class="file">{escape(name)}</p>'
    return f"{head}\n\n{pre(code, language_of(name))}\n\n</div>"
