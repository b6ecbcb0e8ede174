"""Converts TeX to MathML at build time: equations need no script."""

from functools import cache

from math_core import LatexError, LatexToMathML

from book.pages import BookError

_converter = LatexToMathML(fancy_error=False)


def inline(tex: str) -> str:
    """An equation within a line of text."""
    return convert(tex, False)


def display(tex: str) -> str:
    """An equation on a line of its own; it scrolls on a narrow page."""
    return f'<span class="equation">{convert(tex, True)}</span>'


@cache
def convert(tex: str, large: bool) -> str:
    """The MathML of an equation.

    Raises:
        BookError: the TeX cannot be converted.
    """
    tex = " ".join(tex.split())
    try:
        return _converter.convert_with_local_state(tex, displaystyle=large)
    except LatexError as error:
        reason = str(error).partition(": ")[2].rstrip(".")
        raise BookError(f"in the equation {tex!r}: {reason}") from None
