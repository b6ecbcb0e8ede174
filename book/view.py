"""The view of the page “Inside”, whole or with the stages of one chapter."""

import json
from collections.abc import Callable
from functools import cache
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


@cache
def stages() -> list[dict[str, Any]]:
    """The stages of the model, in order."""
    return read_script((DATA / "stages.js").read_text(encoding="utf-8"))


def shown_by(exercise: Exercise) -> str:
    """The names of the stages that an exercise's chapter shows; empty for none."""
    own = [stage["name"] for stage in stages() if stage["step"] == exercise.short]
    return SHOWN.get(exercise.key, " ".join(own))


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
