"""Puts drawings into pages: legible on a phone, and in the page's colours."""

import math
import re
from collections import Counter
from html import escape
from pathlib import Path
from zlib import crc32

from book.pages import NARROW, BookError

WIDTH = re.compile(r' width="(\d+)"')
SIZE = re.compile(r"font(?:-size)?:[^;\"]*?([\d.]+)px")
LEGIBLE = 11  # pixels: no label on a page is smaller
DEFAULT = re.compile(r"var\((--[\w-]+), [^)]*\)")
STYLE = re.compile(r' style="([^"]+)"')


def drawings(path: Path, alternative: str) -> str:
    """A figure as HTML. A chart has two versions, and the page shows one of them."""
    return "".join(
        f'<div class="{kind}">{labelled(each.read_text("utf-8").strip(), alternative)}'
        "</div>"
        for kind, each in versions(path).items()
    )


def versions(path: Path) -> dict[str, Path]:
    """The files of a figure, by the classes of the boxes around them."""
    narrow = NARROW / path.name
    if not narrow.exists():
        return {"scroll": path}
    return {"scroll on-desks": path, "scroll on-phones": narrow}


def labelled(svg: str, alternative: str) -> str:
    """The drawing with its alternative text.

    On a phone it shrinks only as far as its smallest label stays legible. The page's
    style sheet has the colours, so the file's own defaults are left out.
    """
    svg = DEFAULT.sub(r"var(\1)", svg)
    found = WIDTH.search(svg)
    if not found:
        raise BookError("a figure's file does not begin with its width")
    width = int(found[1])
    smallest = min(map(float, SIZE.findall(svg)), default=LEGIBLE)
    least = math.ceil(width * LEGIBLE / smallest)
    size = f"max-width: {width}px; min-width: {least}px"
    svg = shorter(svg.replace('style="', f'style="{size}; ', 1))
    label = f'role="img" aria-label="{escape(alternative)}"'
    return svg.replace("<svg ", f"<svg {label} ", 1)


def shorter(svg: str) -> str:
    """The same drawing, with each style that several parts have written once.

    A style's class has its name from the style: drawings of one page may share it.
    """
    counts = Counter(STYLE.findall(svg))
    names = {
        style: f"d{crc32(style.encode()):x}"
        for style, count in counts.items()
        if count > 2
    }
    if not names:
        return svg
    rules = "".join(f".{name}{{{style}}}" for style, name in names.items())

    def replace(match: re.Match[str]) -> str:
        name = names.get(match[1])
        return f' class="{name}"' if name else match[0]

    body = STYLE.sub(replace, svg).replace(" />", "/>")
    start, end, rest = body.partition(">")
    return f"{start}{end}<style>{rules}</style>{rest}"
