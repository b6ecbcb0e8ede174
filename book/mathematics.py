"""Converts TeX to MathML at build time: equations need no script."""

import re
from collections.abc import Iterator
from functools import cache

from math_core import LatexError, LatexToMathML

from book.pages import BookError

# A line may break at these, and not within brackets, braces or environments.
GAP = re.compile(r"\\q?quad\b")
RELATION = re.compile(r"=|\\(?:approx|equiv|[gl]eq?|to|propto)\b")
SIGN = re.compile(r"[+-]")
OPENS = re.compile(r"\\left\b(?:\\.|.)|\\begin\b|[({\[]")
CLOSES = re.compile(r"\\right\b(?:\\.|.)|\\end\b|[)}\]]")
SYMBOL = re.compile(r"\\(?:left|right)\b\s*(?:\\[a-zA-Z]+|\\.|.)|\\[a-zA-Z]+|\\?.")

_converter = LatexToMathML(fancy_error=False)


def inline(tex: str) -> str:
    """An equation within a line of text."""
    return convert(tex, False)


def display(tex: str) -> str:
    """Equations on lines of their own, as many lines as a narrow page needs.

    Browsers break no line within ``<math>``: each piece that may begin a line is one.
    """
    equations = [
        "<wbr>".join(convert(piece, True) for piece in pieces)
        for pieces in lines(" ".join(tex.split()))
    ]
    inside = " ".join(f"<span>{equation}</span>" for equation in equations)
    return f'<span class="equation"><span>{inside}</span></span>'


def lines(tex: str) -> list[list[str]]:
    """The equations of a display, each as the pieces that may begin a line.

    A piece begins with a relation, or with a plus or minus sign between two terms. Its
    empty group keeps the spaces around that sign, as if something stood before it.
    """
    equations = [[""]]
    for symbol, breaks in symbols(tex):
        if breaks and GAP.fullmatch(symbol):
            equations.append([""])
        elif breaks:
            equations[-1].append("{}" + symbol)
        else:
            equations[-1][-1] += symbol
    return equations


def symbols(tex: str) -> Iterator[tuple[str, bool]]:
    """Each symbol of an equation, and whether a line may begin with it."""
    depth, before = 0, ""
    for match in SYMBOL.finditer(tex):
        symbol = match[0]
        depth += bool(OPENS.fullmatch(symbol)) - bool(CLOSES.fullmatch(symbol))
        between = bool(before) and not RELATION.fullmatch(before)
        signs = RELATION.fullmatch(symbol) or SIGN.fullmatch(symbol)
        yield symbol, not depth and bool(GAP.fullmatch(symbol) or (between and signs))
        before = before if symbol.isspace() else symbol


@cache
def convert(tex: str, large: bool) -> str:
    """The MathML of an equation.

    Raises:
        BookError: the TeX cannot be converted.
    """
    tex = " ".join(tex.split())
    try:
        text = _converter.convert_with_local_state(tex, displaystyle=large)
    except LatexError as error:
        reason = str(error).partition(": ")[2].rstrip(".")
        raise BookError(f"in the equation {tex!r}: {reason}") from None
    return text.replace('<math display="block">', '<math displaystyle="true">')
