"""Figures and numbers of the chapter on query, key and value."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import inside, play
from book.figures import style
from book.figures._text import percent
from book.figures._words import signed
from tests.oracle import model as oracle

BLOCK, HEAD = 3, 0  # the last block, the first head
TEXT = "Tom has a dog."
PARTS = ("query", style.BLUE), ("key", style.ORANGE), ("value", style.GREEN)


def figures() -> dict[str, Figure]:
    return {"one-matrix": matrix_figure(), "who-asks": scores_figure()}


def numbers() -> dict[str, str | list]:
    channels, length = play.checkpoint().config.n_embd, len(play.encode(TEXT))
    return {
        "self_rows": share_of_self(rows_alone()),
        "self_learned": share_of_self([i.shares for i in inside.look_inside(TEXT)]),
        "channels": str(channels),
        "wide": str(3 * channels),
        "x": f"`[1, {length}, {channels}]`",
        "weight": f"`[{3 * channels}, {channels}]`",
        "projected": f"`[1, {length}, {3 * channels}]`",
        "parts": part_rows(),
        "asks": score_rows(),
    }


def rows_alone() -> list[np.ndarray]:
    """Each block's shares ``[T, T]`` if normalized rows were queries and keys."""
    rows = [inside.plain_norm(stream) for stream in inside.streams(TEXT)[:-1]]
    return [inside.attention_shares(x, x) for x in rows]


def share_of_self(shares: list[np.ndarray]) -> str:
    """A token's mean share of itself, without the first token."""
    own = [np.diagonal(table, axis1=-2, axis2=-1)[..., 1:] for table in shares]
    return percent(np.stack(own).mean())


def part_rows() -> list[list[str]]:
    """A table of each part's channels in c_attn's output and of its first numbers."""
    channels, weights = play.checkpoint().config.n_embd, play.trained()
    normed = inside.look_inside(TEXT)[BLOCK].normed[3]
    found = oracle.qkv(normed, weights, f"h.{BLOCK}.attn.c_attn")
    rows = [["part", "channels", "first three numbers"]]
    for number, ((name, _), part) in enumerate(zip(PARTS, found, strict=True)):
        start, values = number * channels, ", ".join(map(signed, part[:3]))
        rows.append([name, f"{start} to {start + channels - 1}", values])
    return rows


def score_tables() -> tuple[np.ndarray, np.ndarray]:
    """The scores ``[T, T]`` of rows with rows, and of queries with keys."""
    layer = inside.look_inside(TEXT)[BLOCK]
    x, query, key = inside.plain_norm(layer.stream), layer.query[HEAD], layer.key[HEAD]
    tables = [(x, x), (query, key)]
    rows, learned = [a @ b.T / np.sqrt(a.shape[-1]) for a, b in tables]
    return rows, learned


def score_rows() -> list[list[str]]:
    """A table of one pair's scores in both directions."""
    rows, learned = score_tables()
    ask = [["who asks whom", "vectors", "query and key"]]
    for name, i, j in [("`·has` asks `·dog`", 1, 3), ("`·dog` asks `·has`", 3, 1)]:
        ask.append([name, signed(rows[i, j]), signed(learned[i, j])])
    return ask


def scores_figure() -> Figure:
    names = [style.token(text) for text in play.tokens(TEXT)]
    figure, panels = style.charts(300, columns=2, width=600)
    titles = "vectors with vectors", "queries with keys"
    for axes, scores, title in zip(panels, score_tables(), titles, strict=True):
        texts = np.vectorize(signed)(scores, 1)
        largest = 1.8 * np.abs(scores).max()  # pale, so that the numbers are legible
        style.heatmap(
            axes, scores, rows=names, columns=names, largest=largest, texts=texts
        )
        axes.set_title(title)
    return figure


def matrix_figure() -> Figure:
    figure, axes = style.canvas(268, width=560)
    names = [style.token(text) for text in play.tokens(TEXT)]
    style.label(axes, 70, 22, "x")
    draw_rows(axes, 20, 40, 100, names)
    style.label(axes, 70, 240, "[B, T, C]", color=style.MUTED)
    style.label(axes, 140, 125, "×", fontsize=style.SIGN)
    style.label(axes, 211, 22, "c_attn")
    for number, (name, color) in enumerate(PARTS):
        style.box(axes, 160, 40 + 60 * number, 102, 56, f"{name}'s rows", color=color)
    style.label(axes, 211, 240, "[3 C, C] and bias [3 C]", color=style.MUTED)
    style.arrow(axes, (274, 125), (304, 125))
    for number, (name, color) in enumerate(PARTS):
        draw_rows(axes, 316 + 78 * number, 40, 72, names, color)
        style.label(axes, 352 + 78 * number, 22, name, color=color)
    style.label(
        axes, 430, 240, "[B, T, 3 C], cut into three [B, T, C]", color=style.MUTED
    )
    return figure


def draw_rows(
    axes: Axes,
    x: float,
    y: float,
    width: float,
    names: list[str],
    color: str = style.PURPLE,
) -> None:
    """Draws one box for each token, one below the other."""
    for number, name in enumerate(names):
        style.box(axes, x, y + 36 * number, width, 32, name, color=color)
