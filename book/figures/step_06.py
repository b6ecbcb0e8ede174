"""Figures and numbers of the chapter on position embeddings."""

import numpy as np
from matplotlib.figure import Figure

from book import held_out, inside, play
from book.figures import style
from book.figures._losses import claim, difference, rise, worse
from book.figures._text import decimal, percent

ORDERS = "The dog saw the cat.", "The cat saw the dog."
TEXT = "Tom has a dog."
SHOWN = 6  # channels that fit on a page


def figures() -> dict[str, Figure]:
    return {"place-similarity": similarity_figure(), "place-sum": sum_figure()}


def numbers() -> dict[str, str | list]:
    table, config = play.trained()["wpe.weight"], play.checkpoint().config
    length = len(play.encode(TEXT))
    silent = dict(play.trained()) | {"wpe.weight": np.zeros_like(table)}
    silenced = held_out.loss(silent)
    claim("step_06", "The model as a whole suffers too", worse(silenced))
    return {
        "without": percent(order_matters(places=False), 1),
        "with": percent(order_matters(places=True), 1),
        "stories": str(len(held_out.stories())),
        "loss": f"{held_out.trained():.2f}",
        "loss_silent": decimal(silenced.mean),
        "change": difference(rise(silenced)),
        "positions": str(config.n_positions),
        "channels": str(config.n_embd),
        "length": str(length),
        "ids": f"`[1, {length}]`",
        "places": f"`[{length}]`",
        "token_rows": f"`[1, {length}, {config.n_embd}]`",
        "table": f"`{list(table.shape)}`",
        "position_rows": f"`[{length}, {config.n_embd}]`",
        "by_distance": similarity_rows(),
    }


def order_matters(*, places: bool) -> float:
    """The distance of attention's results for two word orders, at the last token.

    The distance is relative to the length of the first result.
    """
    one, other = (first_attention(text, places) for text in ORDERS)
    return float(np.linalg.norm(one - other) / np.linalg.norm(one))


def first_attention(text: str, places: bool) -> np.ndarray:
    """The result ``[C]`` of the first block's attention for the last token."""
    ids, weights = play.encode(text), play.trained()
    x = weights["wte.weight"][ids].astype(np.float64)
    if places:
        x = x + weights["wpe.weight"][: len(ids)]
    return inside.run_block(x, weights, "h.0.").attended[-1]


def similarities() -> np.ndarray:
    """The cosine similarity of each two rows, ``[positions, positions]``."""
    table = play.trained()["wpe.weight"].astype(np.float64)
    table = table / np.linalg.norm(table, axis=1, keepdims=True)
    return table @ table.T


def similarity_rows() -> list[list[str]]:
    """A table of the mean similarity of two places, by their distance."""
    cosines, apart = similarities(), (1, 4, 16, 64, 128)
    means = [decimal(np.diag(cosines, distance).mean()) for distance in apart]
    return [["positions apart", *map(str, apart)], ["similarity", *means]]


def similarity_figure() -> Figure:
    cosines = similarities()
    figure, axes = style.chart(280, width=560)
    for place, color in zip((30, 128, 226), style.COLORS, strict=False):
        axes.plot(cosines[place], color=color, linewidth=1.5)
        style.label(axes, place, 1.08, f"position {place}", color=color)
    axes.axhline(0, color=style.GRID, linewidth=1, zorder=0)
    axes.set_ylim(-0.8, 1.15)
    axes.set_xlabel("compared with position")
    axes.set_ylabel("cosine")
    return figure


def parts() -> list[np.ndarray]:
    """The tokens' rows, the positions' rows and their sum, ``[T, SHOWN]`` each."""
    ids, weights = play.encode(TEXT), play.trained()
    token, place = weights["wte.weight"][ids], weights["wpe.weight"][: len(ids)]
    return [rows[:, :SHOWN] for rows in (token, place, token + place)]


def sum_figure() -> Figure:
    names = [style.token(text) for text in play.tokens(TEXT)]
    rows: list[list[str]] = [names, [str(place) for place in range(len(names))], names]
    titles = "token rows", "position rows", "sums"
    columns = [str(channel) for channel in range(SHOWN)]
    largest = max(np.abs(part).max() for part in parts())
    figure, panels = style.chain(172, ["+", "="])
    for axes, part, title, names in zip(panels, parts(), titles, rows, strict=True):
        style.heatmap(axes, part, rows=names, columns=columns, largest=largest)
        axes.set_title(title)
        style.level_columns(axes)
    return figure
