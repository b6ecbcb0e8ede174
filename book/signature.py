"""A chapter's signature: the stages of the model, with the chapter's own lit."""

from html import escape

from book.view import shown_by, stages
from course.registry import Exercise

WHOLE = "all"
# The stages that a signature lights, where they are not those that the chapter shows.
LIT = {
    "s01": WHOLE,
    "s11": "norm1 qkv scores mask shares mix attn add1 norm2 hidden active mlp add2",
    "s12": WHOLE,
    "kv-cache": "qkv scores mix",
    "kernel": "qkv attn hidden mlp logits",
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
BOX, HEIGHT = 10, 14  # width and height of a stage's box
STEP, GAP = 13, 20  # from one box to the next, and between two parts
MARGIN = 8  # some labels are wider than their part
LABEL = 18  # height


def signature(exercise: Exercise) -> str:
    """The signature as SVG."""
    chosen = LIT.get(exercise.key) or shown_by(exercise)
    lit = [s for s in stages() if chosen == WHOLE or s["name"] in chosen.split()]
    titles = ", ".join(stage["title"] for stage in lit)
    names = "the whole model" if chosen == WHOLE else titles
    x, drawn = MARGIN, []
    for part, name in PARTS.items():
        members = [stage for stage in stages() if stage["part"] == part]
        drawn += [box(x + i * STEP, stage in lit) for i, stage in enumerate(members)]
        width = len(members) * STEP - (STEP - BOX)
        middle = x + width / 2
        drawn.append(f'<text x="{middle:g}" y="{HEIGHT + 14}">{name}</text>')
        x += width + GAP
    label = escape(f"This chapter's part of the model: {names}")
    size = f'width="{x - GAP + MARGIN}" height="{HEIGHT + LABEL}"'
    svg = f'<svg class="signature" role="img" aria-label="{label}" {size}>'
    return f"{svg}{''.join(drawn)}</svg>"


def box(x: int, lit: bool) -> str:
    """One stage of a signature."""
    kind = ' class="lit"' if lit else ""
    return f'<rect{kind} x="{x}" width="{BOX}" height="{HEIGHT}" rx="2"/>'
