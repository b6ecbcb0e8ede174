"""The view of the page “Inside”, also for chapters, and each chapter's signature."""

import json
from collections.abc import Callable
from functools import cache
from html import escape
from typing import Any

from book.lab.packing import DATA, read_script
from book.pages import SRC
from course.registry import Exercise

Expand = Callable[[str], str]

# The stages that a chapter shows, where they are not those that its step builds.
SHOWN = {
    "s01": "",
    "s10": "norm1 add1",
    "s11": "norm1 attn add1 norm2 mlp add2",
    "kv-cache": "qkv",
    "sampling": "choice",
}
# The stages that a chapter's signature lights, where they are not those that it shows.
WHOLE = "all"
LIT = {
    "s01": WHOLE,
    "s11": "norm1 qkv scores mask shares mix attn add1 norm2 hidden active mlp add2",
    "s12": WHOLE,
    "kv-cache": "qkv scores mix",
    "beam-search": "choice",
    "speculative": "choice",
    "constrained": "choice",
    "contrastive": "logits choice",
    "llama": WHOLE,
}

PARTS = {
    "text": "text",
    "attention": "attention",
    "feed-forward": "feed-forward",
    "output": "next token",
}
WIDTH, HEIGHT, STEP, GAP = (
    10,
    14,
    13,
    22,
)  # of a stage's box, to the next, between parts


@cache
def stages() -> list[dict[str, Any]]:
    """The stages of the model, in order."""
    return read_script((DATA / "stages.js").read_text(encoding="utf-8"))


def inside(arguments: str, expand: Expand) -> str:
    """The whole view, as the page “Inside” has it."""
    return view("")


def view(names: str) -> str:
    """The view's HTML; with names of stages, it shows these alone."""
    chosen = f' data-stages="{names}"' if names else ""
    files = json.loads((SRC / "lab" / "inside.json").read_text(encoding="utf-8"))
    styles = [f'<link rel="stylesheet" href="lab/{s}.css">' for s in files["styles"]]
    scripts = [
        f'<script defer src="lab/{script}.js"></script>'
        for script in files["recorded"] + files["scripts"]
    ]
    section = (
        '<section class="inside" aria-label="Inside the model" data-open hidden'
        f"{chosen}></section>"
    )
    return "".join([*styles, section, *scripts])


def shown_by(exercise: Exercise) -> str:
    """The names of the stages that an exercise's chapter shows; empty for none."""
    own = [stage["name"] for stage in stages() if stage["step"] == exercise.short]
    return SHOWN.get(exercise.key, " ".join(own))


def signature(exercise: Exercise) -> str:
    """The model as a row of stages, with those of a chapter lit."""
    chosen = LIT.get(exercise.key) or shown_by(exercise)
    lit = [
        stage
        for stage in stages()
        if chosen == WHOLE or stage["name"] in chosen.split()
    ]
    names = "the whole model" if chosen == WHOLE else ", ".join(s["title"] for s in lit)
    x, drawn = 0, []
    for part, name in PARTS.items():
        members = [stage for stage in stages() if stage["part"] == part]
        drawn += [box(x + i * STEP, stage in lit) for i, stage in enumerate(members)]
        width = len(members) * STEP - (STEP - WIDTH)
        drawn.append(f'<text x="{x + width / 2:g}" y="{HEIGHT + 14}">{name}</text>')
        x += width + GAP
    label = escape(f"This chapter's part of the model: {names}")
    return (
        f'<svg class="signature" role="img" aria-label="{label}" width="{x - GAP}" '
        f'height="{HEIGHT + 18}">{"".join(drawn)}</svg>'
    )


def box(x: int, lit: bool) -> str:
    """One stage of a signature."""
    kind = ' class="lit"' if lit else ""
    return f'<rect{kind} x="{x}" width="{WIDTH}" height="{HEIGHT}" rx="2"/>'
