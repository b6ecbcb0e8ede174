"""Figures and numbers of the chapter on the causal mask."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import held_out, inside, play
from book.figures import style
from book.figures._losses import claim, difference, rise, worse
from book.figures._words import code, signed
from solutions.solution_01 import GPT2Config
from tests.oracle import model as oracle

ENDINGS = "Tom has a dog", "Tom has a cat"
TEXT = "Tom has a dog."
SHORT = "Tom has a dog"


def figures() -> dict[str, Figure]:
    return {"causal-mask": mask_figure(), "mask-scores": scores_figure()}


def numbers() -> dict[str, str | list]:
    length = GPT2Config().n_positions
    with play.instead("causal_mask", no_mask):
        blind = changes()
        loss = held_out.loss()
    claim("step_02", "looking there only confuses it", worse(loss))
    return {
        "changes": change_rows(changes(), blind),
        "usual": f"{play.logits(play.encode(ENDINGS[0])).std(axis=-1).mean():.1f}",
        "stories": str(len(held_out.stories())),
        "loss": f"{held_out.trained():.2f}",
        "loss_without": f"{loss.mean:.2f}",
        "change": difference(rise(loss)),
        "squares": f"{length**2:,}",
        "hidden": f"{length * (length - 1) // 2:,}",
        "mebibytes": f"{length**2 * 4 // 2**20} MiB",
        "layers_mebibytes": f"{GPT2Config().n_layer * length**2 * 4 // 2**20} MiB",
        "tokens": str(len(play.encode(SHORT))),
    }


def no_mask(length: int, earlier: int = 0) -> np.ndarray:
    """A mask ``[T, T + earlier]`` that hides nothing."""
    return np.zeros((length, length + earlier))


def changes() -> np.ndarray:
    """``[T]``: the largest change of a logit at each place, for two endings."""
    one, other = (play.logits(play.encode(text)) for text in ENDINGS)
    return np.abs(one - other).max(axis=-1)


def change_rows(masked: np.ndarray, blind: np.ndarray) -> list[list[str]]:
    """A table of the changes at each place, with the mask and without it."""
    names = [code(t) for t in play.tokens(ENDINGS[0])[:-1]]
    rows = zip([*names, "the last word"], masked, blind, strict=True)
    return [
        ["after", "change with the mask", "change without it"],
        *([name, exact(a), exact(b)] for name, a, b in rows),
    ]


def exact(value: float) -> str:
    """A number with two digits after the point; "0" only for exactly 0."""
    return "0" if value == 0 else f"{value:z.2f}"


def mask_figure() -> Figure:
    figure, panels = style.charts(290, columns=2)
    names = [style.token(t) for t in play.tokens(TEXT)]
    draw_mask(panels[0], oracle.causal_mask(len(names)), names, names)
    draw_mask(panels[1], oracle.causal_mask(3, 2), names[2:], names)
    panels[0].set_title("five new tokens")
    panels[1].set_title("three new ones, two earlier")
    panels[1].axvline(1.5, color=style.MUTED, linestyle=":")
    return figure


def draw_mask(
    axes: Axes, mask: np.ndarray, rows: list[str], columns: list[str]
) -> None:
    """Draws a mask as squares with their numbers."""
    hidden = np.isneginf(mask)
    texts = np.where(hidden, "−∞", "0")
    nothing = np.zeros_like(mask)
    style.heatmap(axes, nothing, rows=rows, columns=columns, texts=texts, hidden=hidden)


def attention_steps() -> list[np.ndarray]:
    """Scores, masked scores and shares ``[T, T]`` of the last block's first head."""
    layer = inside.look_inside(SHORT)[-1]
    scores = layer.query[0] @ layer.key[0].T / np.sqrt(layer.query.shape[-1])
    masked = scores + oracle.causal_mask(len(scores))
    return [scores, masked, oracle.softmax(masked)]


def scores_figure() -> Figure:
    """Draws scores, masked scores and shares side by side."""
    figure, panels = style.chain(205, ["+ mask", "softmax"])
    names = [style.token(t) for t in play.tokens(SHORT)]
    future = ~np.tri(len(names), dtype=bool)
    covered = {
        "scores": np.zeros_like(future),
        "masked scores": future,
        "shares": future,
    }
    for axes, values, (title, hidden) in zip(
        panels, attention_steps(), covered.items(), strict=True
    ):
        largest = 2 * np.abs(values[~hidden]).max()  # pale, so that texts are legible
        texts = np.vectorize(short)(values, 2 if title == "shares" else 1)
        style.heatmap(
            axes,
            values,
            rows=names,
            columns=names,
            largest=largest,
            texts=texts,
            hidden=hidden,
        )
        axes.set_title(title)
    return figure


def short(value: float, digits: int) -> str:
    """The text of a number in a square."""
    return "−∞" if np.isneginf(value) else signed(value, digits)
