"""Figures and numbers of the chapter on the transformer block."""

from collections.abc import Callable
from math import log

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from book import held_out, play
from book.figures import style
from book.figures._losses import claim, measured_on, perplexity, worse
from book.figures._words import code
from tests.oracle import model as oracle

PROMPTS = [  # the table has the one after which most wirings go wrong
    "The dog ran to the",
    "Lily was sad because she lost her",
    "Tom has a dog. The dog likes to play with",
    "Mia saw a bird in a tree. Mia wanted to catch the",
]
PIECES = {
    "ln_1": "2C",
    "attn": "4C² + 4C",
    "ln_2": "2C",
    "mlp": "8C² + 5C",
}
Half = Callable[[np.ndarray], np.ndarray]
Wiring = Callable[[np.ndarray, Half, Half, Half, Half], np.ndarray]

# The arguments are x and the block's parts: ln_1, attn, ln_2, mlp.
WIRINGS: dict[str, Wiring] = {
    "as it was trained": lambda x, n1, at, n2, ml: (a := x + at(n1(x))) + ml(n2(a)),
    "without attention": lambda x, n1, at, n2, ml: x + ml(n2(x)),
    "without MLP": lambda x, n1, at, n2, ml: x + at(n1(x)),
    "MLP first, then attention": lambda x, n1, at, n2, ml: (
        (a := x + ml(n2(x))) + at(n1(a))
    ),
    "both on the same input": lambda x, n1, at, n2, ml: x + at(n1(x)) + ml(n2(x)),
    "nothing is added to x": lambda x, n1, at, n2, ml: ml(n2(at(n1(x)))),
    "normalized after each sum": lambda x, n1, at, n2, ml: n2(
        (a := n1(x + at(x))) + ml(a)
    ),
}


def figures() -> dict[str, Figure]:
    return {"transformer-block": block_figure()}


def block_figure() -> Figure:
    """Draws the stream from top to bottom, with a branch for each half."""
    figure, axes = style.canvas(400, width=480)
    stream = 60
    style.label(axes, stream, 16, "x  [B, T, C]")
    axes.plot([stream, stream], [30, 352], color=style.INK, linewidth=3)
    style.arrow(axes, (stream, 346), (stream, 368), color=style.INK)
    style.label(axes, stream, 384, "y  [B, T, C]")
    half(axes, 48, ("ln_1", "attn"), style.BLUE, "tokens exchange\nwhat they know")
    half(axes, 204, ("ln_2", "mlp"), style.GREEN, "each token\nis changed alone")
    return figure


def half(axes, top: int, names: tuple[str, str], color: str, says: str) -> None:
    """Draws one branch: normalization, sublayer, sum."""
    left, width, stream = 140, 150, 60
    style.box(axes, left, top, width, 34, names[0], color=style.GOLD)
    style.box(axes, left, top + 68, width, 56, names[1], color=color)
    style.arrow(axes, (stream, top + 17), (left, top + 17))
    style.arrow(axes, (left + width / 2, top + 34), (left + width / 2, top + 68))
    style.arrow(axes, (left, top + 96), (stream + 13, top + 96))
    axes.add_patch(Circle((stream, top + 96), 13, **plus_options()))
    style.label(axes, stream, top + 96, "+", fontsize=17)
    side = {"ha": "left", "color": style.MUTED, "fontsize": style.SMALL}
    style.label(axes, left + width + 14, top + 17, f"{PIECES[names[0]]}", **side)
    text = f"{says}\n{PIECES[names[1]]}"
    style.label(axes, left + width + 14, top + 96, text, **side)


def plus_options() -> dict:
    return {"facecolor": style.PAPER, "edgecolor": style.INK, "lw": 2, "zorder": 2.5}


def numbers() -> dict[str, str | list]:
    return {
        "vocabulary": f"{play.checkpoint().config.vocab_size:,}",
        "wirings": wirings(),
    }


def wirings() -> list[list[str]]:
    """A table of the perplexity and the next token with differently wired blocks."""
    losses, answers = [], []
    for wiring in WIRINGS.values():
        with play.instead("block", rewired(wiring)):
            answers.append([play.next_tokens(text, count=1)[0][0] for text in PROMPTS])
            losses.append(held_out.loss())
    claim("step_11", "Each of the other rows is worse", worse(*losses[1:]))
    blind = log(play.checkpoint().config.vocab_size)
    wrong = any(loss.mean > blind for loss in losses)
    claim("step_11", "is worse than blind guessing", wrong)
    losses[0] = held_out.trained()
    columns = dict(zip(PROMPTS, zip(*answers, strict=True), strict=True))
    prompt = max(columns, key=lambda text: -columns[text].count(columns[text][0]))
    head = ["how each block is wired", f"perplexity on {measured_on()}"]
    tokens = map(code, columns[prompt])
    rows = zip(WIRINGS, map(perplexity, losses), tokens, strict=True)
    return [[*head, f"after “{prompt}”"], *map(list, rows)]


def rewired(wiring: Wiring) -> Callable[..., np.ndarray]:
    """A block for the oracle with the usual parts and another wiring."""

    def block(x, state, n_head, eps, prefix="") -> np.ndarray:
        def norm(name: str) -> Half:
            weight, bias = (state[f"{prefix}{name}.{p}"] for p in ("weight", "bias"))
            return lambda x: oracle.layer_norm(x, weight, bias, eps)

        def attend(x: np.ndarray) -> np.ndarray:
            return oracle.multi_head_attention(x, state, n_head, f"{prefix}attn.")

        def feed(x: np.ndarray) -> np.ndarray:
            return oracle.mlp(x, state, f"{prefix}mlp.")

        return wiring(x, norm("ln_1"), attend, norm("ln_2"), feed)

    return block
