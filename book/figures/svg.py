"""Writes a figure as SVG that follows the page's theme and is reproducible."""

import io
import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from book.figures.style import MONO, VARIABLES

SVG = "{http://www.w3.org/2000/svg}"
ElementTree.register_namespace("", SVG[1:-1])
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")

# This replaces matplotlib's <style>, which would affect the whole page.
STYLE = "stroke-linejoin: round; font-family: var(--fig-font, sans-serif)"
IMPLIED = {"stroke-linejoin: miter", "stroke-linecap: butt", STYLE.split("; ")[1]}
LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
REFERENCE = re.compile(r"url\(#([^)]+)\)|^#(.+)")


def render(figure: Figure, name: str) -> str:
    """The text of the file ``NAME.svg``.

    Its identifiers start with the figure's name, because a page may hold several.
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator")))
    root = ElementTree.fromstring(file.getvalue())
    del root.attrib["version"]
    for side in ("width", "height"):
        root.set(side, root.attrib[side].removesuffix("pt"))
    name_parts(root, name)
    prune(root)
    for element in root.iter():
        tidy(element)
    root.set("style", STYLE)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def prune(element: ElementTree.Element) -> None:
    """Removes invisible parts: metadata, styles, paths, groups without an effect."""
    for child in list(element):
        prune(child)
        kind = child.tag.removeprefix(SVG)
        is_unseen = kind == "path" and child.get("style") in (
            "fill: none",
            "opacity: 0",
        )
        is_idle = (kind == "g" and not child.attrib) or (
            kind == "defs" and not len(child)
        )
        if kind in ("metadata", "style") or is_unseen or is_idle:
            place = list(element).index(child)
            element.remove(child)
            if is_idle:
                element[place:place] = list(child)


def name_parts(root: ElementTree.Element, name: str) -> None:
    """Renames each referenced part to the figure's name and a number.

    Matplotlib's names are hashes of the content, so rounding would change them.
    """
    values = [value for e in root.iter() for k, value in e.items() if k != "id"]
    found = [match for value in values for match in REFERENCE.findall(value)]
    used = dict.fromkeys(target for match in found for target in match if target)
    names = {target: f"{name}-{i}" for i, target in enumerate(used, start=1)}
    for element in root.iter():
        if (part := element.attrib.pop("id", None)) in names:
            element.set("id", names[part])
        for key, value in element.attrib.items():
            for target in REFERENCE.findall(value):
                part = "".join(target)
                element.set(key, value.replace(f"#{part}", f"#{names[part]}"))


def tidy(element: ElementTree.Element) -> None:
    """Shortens numbers, removes whitespace between elements, uses the page's theme."""
    for key, value in element.attrib.items():
        element.set(key, " ".join(LONG_NUMBER.sub(rounded, value).split()))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    if style := element.get("style"):
        element.set("style", themed(style))
    element.tail = None
    if not (element.text or "").strip():
        element.text = None


def rounded(number: re.Match[str]) -> str:
    """A coordinate, rounded to a hundredth of a pixel."""
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def themed(style: str) -> str:
    """Replaces colours and fonts by the page's variables. Defaults: the light theme."""
    for color, variable in VARIABLES.items():
        style = style.replace(color, f"var({variable}, {color})")
    parts = [own_font(part.strip()) for part in style.split(";")]
    return "; ".join(part for part in parts if part not in IMPLIED)


def own_font(part: str) -> str:
    """Replaces matplotlib's font family by the page's family of the same kind."""
    if not part.startswith("font-family:"):
        return part
    if MONO in part:
        return "font-family: var(--mono-font, monospace)"
    return "font-family: var(--fig-font, sans-serif)"
