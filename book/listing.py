"""Code as the book shows it, coloured at build time."""

from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from book.pages import BookError

_formatter = HtmlFormatter(nowrap=True)


def block(code: str, info: str) -> str:
    """A fenced block; ``info`` is its language and what it is for.

    ``python run`` is run by a test, and ``text output`` is what it printed.
    """
    language, _, purpose = info.strip().partition(" ")
    if purpose not in ("", "run", "output"):
        raise BookError(f"a block of code for {purpose!r} (known are run and output)")
    return pre(code, language, purpose)


def pre(code: str, language: str, *classes: str) -> str:
    """The HTML of coloured code.

    Raises:
        BookError: nobody knows how to colour this language.
    """
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        raise BookError(
            f"a block of code in an unknown language {language!r}"
        ) from None
    names = " ".join(filter(None, ["code", *classes]))
    return (
        f'<pre class="{names}"><code>{highlight(code, lexer, _formatter)}</code></pre>'
    )


def file(name: str, code: str) -> str:
    """A whole file under its name.

    Markdown takes HTML as it is only up to a blank line, unless it begins with <pre.
    """
    head = f'<div class="listing">\n<p class="file">{escape(name)}</p>'
    return f"{head}\n\n{pre(code, 'python')}\n\n</div>"
