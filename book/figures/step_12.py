"""Figures and numbers of the chapter on stacking."""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from book import held_out, play
from book.figures import style
from book.figures._losses import claim, measured_on, perplexity
from book.figures._parameters import parameters
from book.figures._words import code, percent, published
from solutions.solution_01 import GPT2Config
from tests.oracle import model as oracle

PROMPT = "Once upon a time, there was a little"
COLORS = {"wte": style.BLUE, "wpe": style.ORANGE, "ln_f": style.GOLD}


def figures() -> dict[str, Figure]:
    return {"stack": stack_figure()}


def stack_figure() -> Figure:
    """Draws two models as towers. Heights are shares of all parameters."""
    figure, axes = style.canvas(480)
    tower(axes, 30, "embedded model", play.checkpoint().config)
    tower(axes, 350, "GPT-2 124M", published("gpt2"))
    return figure


def tower(axes: Axes, left: int, title: str, config: GPT2Config) -> None:
    """Draws one model, from the tables at the top to the last normalization."""
    total, height, y, next_label = parameters(config), 400, 50.0, 0.0
    style.label(axes, left, 14, title, ha="left", fontweight="bold")
    style.label(axes, left, 34, f"{total:,} parameters", ha="left", color=style.MUTED)
    for name in pieces(config):
        count = parameters(config, name)
        thick = height * count / total
        color = COLORS.get(name, style.GREEN)
        axes.add_patch(slab(left, y, 110, thick, color))
        next_label = max(y + thick / 2, next_label + 17)
        line = [left + 112, left + 124], [y + thick / 2, next_label]
        axes.plot(*line, color=style.MUTED, linewidth=0.8)
        text = f"{name}   {short(count)}"
        options = {"ha": "left", "fontsize": style.SMALL}
        style.label(axes, left + 128, next_label, text, **options)
        y += thick


def slab(x: float, y: float, width: float, height: float, color: str):
    """One part of a tower. It is at least one pixel high."""
    return Rectangle(
        (x, y), width, max(height, 1.0), facecolor=(color, 0.25), edgecolor=color
    )


def short(count: int) -> str:
    """A number of parameters: 38.6 M, 198 k or 256."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if count >= size:
            value = count / size
            return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
    return f"{count}"


def pieces(config: GPT2Config) -> list[str]:
    """The names of a model's parts in the order of the computation."""
    return ["wte", "wpe", *(f"h.{i}" for i in range(config.n_layer)), "ln_f"]


def numbers() -> dict[str, str | list]:
    config, real = play.checkpoint().config, published("gpt2")
    last, best = play.tokens(PROMPT)[-1], guesses(0)[0][0]
    claim("step_12", "Without any block there are only the two tables", best == last)
    return {
        "layers": f"{config.n_layer}",
        "prompt": PROMPT,
        "last_token": last.strip(),
        "without_blocks": best.strip(),
        "early_exit": early_exit(),
        "gpt2_table": f"{parameters(real, 'wte'):,}",
        "gpt2_five_blocks": f"{5 * parameters(real, 'h.0'):,}",
    }


def guesses(blocks: int) -> list[tuple[str, float]]:
    """The likeliest next tokens of a model with the first ``blocks`` blocks alone."""
    shares = oracle.softmax(play.logits(play.encode(PROMPT), n_layer=blocks)[-1])
    best = np.argsort(-shares, kind="stable")[:3]
    return [(play.checkpoint().tokenizer.token(int(i)), shares[i]) for i in best]


def early_exit() -> list[list[str]]:
    """A table of the likeliest next tokens and the perplexity, by number of blocks."""
    layers = play.checkpoint().config.n_layer
    losses = [*(held_out.loss(n_layer=n) for n in range(layers)), held_out.trained()]
    falls = [before - after for before, after in pairwise(losses)]
    falling = all(fall.mean > 0 and not fall.tied for fall in falls)
    claim("step_12", "Each block that you add makes the stories less", falling)
    rows = [["blocks", "likeliest next tokens", f"perplexity on {measured_on()}"]]
    for blocks, loss in enumerate(losses):
        best = ", ".join(f"{code(t)} {percent(share)}" for t, share in guesses(blocks))
        rows.append([f"{blocks}", best, perplexity(loss)])
    return rows
