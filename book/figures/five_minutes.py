"""Figures and numbers of the page that shows the whole model."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from book import held_out, inside, neighbours, play
from book.figures import style
from book.figures._losses import claim, loss_cell, rise
from book.figures._text import decimal, percent
from book.figures._words import code
from book.figures.step_02 import no_mask
from solutions.solution_01 import GPT2Config
from tests.oracle import model as oracle

TEXT = "Tom has a dog."
PETS = "dog", "cat", "ball"
OPENING = "Tom has a {}. The"
LAST, ASKING = 3, 3  # the last block; the token with the query
NEAR, LIKELY = 2, 3  # rows of the token table, and tokens, that a table names
WIDTH = 412  # of the drawings: they fit a phone
CELLS = 12  # channels that are drawn of a vector
CELL, HEIGHT = 20, 28  # pixels of a drawn channel
FULL = 0.9  # the quantile of the numbers from which on a colour is full
Q = np.array([[1, 2, 0], [0, 1, 2]])
K = np.array([[2, 1, 1], [1, 0, 1]])
ROW, COLUMN = 1, 0  # the dot product that the drawing shows


def figures() -> dict[str, Figure]:
    return {
        "five-vectors": vectors_figure(),
        "dot-to-matrix": matrix_figure(),
        "value-mix": mix_figure(),
    }


def numbers() -> dict[str, str | list]:
    config = play.checkpoint().config
    (near, cosine), *_ = nearest_rows(" dog")
    with play.instead("causal_mask", no_mask):
        example = held_out.loss()
    head = mixed_head()
    return {
        "vocabulary": f"{config.vocab_size:,}",
        "channels": str(config.n_embd),
        "positions": str(config.n_positions),
        "inner": str(config.n_inner),
        "layers": str(config.n_layer),
        "gpt2_layers": str(GPT2Config().n_layer),
        "heads": str(config.n_head),
        "size": str(config.n_embd // config.n_head),
        "near": code(near),
        "cosine": decimal(cosine),
        "shares": share_rows(),
        "head": str(head),
        "moving": moving_rows(),
        "logits": logit_rows(),
        "loss": loss_rows(),
        "text_loss": decimal(play.loss(TEXT)),
        "stories": str(len(held_out.stories())),
        "held_out": f"{held_out.trained():.2f}",
        "cell": loss_cell(example),
        "cell_loss": decimal(example.mean),
        "cell_more": decimal(rise(example).mean),
        "errors": str(held_out.ERRORS),
        "visible": str(held_out.VISIBLE),
    }


def nearest_rows(word: str) -> list[tuple[str, float]]:
    """The tokens whose rows have the highest cosine with a word's row."""
    table = neighbours.directions(play.trained())
    (own,) = play.encode(word)
    return neighbours.nearest(table, table[own], {own})


def last_block() -> inside.Layer:
    """The last block's results for the text."""
    return inside.look_inside(TEXT)[LAST]


def mixed_head() -> int:
    """The head of the last block whose shares of one token are the most even."""
    return int(last_block().shares[:, ASKING].max(axis=-1).argmin())


def share_rows() -> list[list[str]]:
    """A table of one token's shares in every head of the last block."""
    shares = last_block().shares[:, ASKING, : ASKING + 1]
    names = map(code, play.tokens(TEXT)[: ASKING + 1])
    heads = [[f"head {n}", *map(decimal, row)] for n, row in enumerate(shares)]
    return [["share of", *names], *heads]


def moving_rows() -> list[list[str]]:
    """A table of the rows that one vector is nearest to, after each block."""
    table = neighbours.directions(play.trained())
    texts = [OPENING.format(pet) for pet in PETS]
    paths = [inside.streams(text) for text in texts]
    rows = [["nearest rows", *(f"with `{pet}`" for pet in PETS)]]
    for depth in range(len(paths[0])):
        found = [
            neighbours.nearest(table, path[depth][-1], set())[:NEAR] for path in paths
        ]
        name = f"after block {depth - 1}" if depth else "at the start"
        rows.append([name, *map(named, found)])
    ends = [neighbours.nearest(table, path[-1][-1], set())[0][0] for path in paths]
    right = ends == [f" {pet}" for pet in PETS]
    claim("five_minutes", "the very word that this text speaks of", right)
    return rows


def named(found: list[tuple[str, float]]) -> str:
    """Tokens, each with its cosine."""
    space = "\N{NO-BREAK SPACE}"
    return ", ".join(f"{code(t)}{space}{decimal(cosine)}" for t, cosine in found)


def logit_rows() -> list[list[str]]:
    """A table of logits and probabilities of the likeliest next tokens."""
    logits = play.logits(play.encode(OPENING.format(PETS[0])))[-1]
    shares = oracle.softmax(logits)
    rows = [["token", "logit", "probability"]]
    for i in np.argsort(-logits)[:LIKELY]:
        token = code(play.checkpoint().tokenizer.token(int(i)))
        rows.append([token, decimal(logits[i]), percent(shares[i], 1)])
    return rows


def loss_rows() -> list[list[str]]:
    """A table of p and -log p of each token after the first."""
    ids = play.encode(TEXT)
    costs = play.surprise(play.logits(ids[:-1]), ids[1:])
    rows = [["after", "comes", "*p*", "−log *p*"]]
    for n, cost in enumerate(costs):
        after = f"`{''.join(play.tokens(TEXT)[: n + 1])}`"
        chance = percent(np.exp(-cost), 1)
        rows.append([after, code(play.tokens(TEXT)[n + 1]), chance, decimal(cost)])
    return rows


def vectors_figure() -> Figure:
    """Draws each token's id and the first channels of its row."""
    ids, names = play.encode(TEXT), [style.token(t) for t in play.tokens(TEXT)]
    rows = play.trained()["wte.weight"][ids, :CELLS]
    full = float(np.quantile(np.abs(rows), FULL))
    figure, axes = style.canvas(240, width=WIDTH)
    heads = {45: "token", 104: "id", 270: f"the first {CELLS} channels of its row"}
    for x, text in heads.items():
        style.label(axes, x, 18, text, color=style.MUTED)
    for n, (i, name) in enumerate(zip(ids, names, strict=True)):
        y = 56 + 40 * n
        style.box(axes, 10, y - 15, 70, 30, name, color=style.COLORS[n])
        style.label(axes, 104, y, str(i))
        style.arrow(axes, (126, y), (144, y))
        strip(axes, 150, y, rows[n], full, 1.0)
        style.label(axes, 150 + CELL * CELLS + 12, y, "…", color=style.MUTED)
    return figure


def matrix_figure() -> Figure:
    """Draws Q @ K.T with one row, one column and their dot product marked."""
    figure, axes = style.canvas(212, width=WIDTH)
    result, length = Q @ K.T, Q.shape[1]
    style.label(axes, 80, 24, "Q")
    grid(axes, 28, 60, Q, {(ROW, c) for c in range(length)}, style.BLUE)
    style.label(axes, 157, 96, "@", fontsize=style.SIGN, color=style.MUTED)
    style.label(axes, 212, 24, "K.T")
    grid(axes, 178, 42, K.T, {(r, COLUMN) for r in range(length)}, style.ORANGE)
    style.label(axes, 271, 96, "=", fontsize=style.SIGN, color=style.MUTED)
    style.label(axes, 328, 24, "Q @ K.T")
    grid(axes, 294, 60, result, {(ROW, COLUMN)}, style.PURPLE)
    for i in range(2):
        for x in (14, 380):
            style.label(axes, x, 77 + 36 * i, f"{i}", color=style.MUTED)
        style.label(axes, 195 + 36 * i, 162, f"{i}", color=style.MUTED)
        style.label(axes, 311 + 36 * i, 144, f"{i}", color=style.MUTED)
    products = " + ".join(f"{a}·{b}" for a, b in zip(Q[ROW], K[COLUMN], strict=True))
    text = (
        f"row {ROW} of Q · row {COLUMN} of K  =  {products}  =  {result[ROW, COLUMN]}"
    )
    style.label(axes, 200, 194, text)
    return figure


def grid(
    axes: Axes, x: float, y: float, values: np.ndarray, marked: set, color: str
) -> None:
    """Draws a small matrix of numbers; marked cells are coloured."""
    for (row, column), value in np.ndenumerate(values):
        is_marked = (row, column) in marked
        style.box(
            axes,
            x + 36 * column,
            y + 36 * row,
            33,
            33,
            str(value),
            color=color if is_marked else style.MUTED,
            strength=0.22 if is_marked else 0.04,
        )


def mix_figure() -> Figure:
    """Draws a token's mix: each value times its share, and their sum."""
    layer, head = last_block(), mixed_head()
    shares = layer.shares[head, ASKING, : ASKING + 1]
    values = layer.value[head, : ASKING + 1, :CELLS]
    names = [style.token(token) for token in play.tokens(TEXT)]
    figure, axes = style.canvas(254, width=WIDTH)
    full = float(np.quantile(np.abs(values), FULL))
    channels = f"value: the first {CELLS} of {layer.value.shape[-1]} channels"
    style.label(axes, 92, 18, "share", color=style.MUTED)
    style.label(axes, 266, 18, channels, color=style.MUTED)
    for n, share in enumerate(shares):
        y = 50 + 38 * n
        style.label(axes, 60, y, names[n], ha="right")
        style.label(axes, 92, y, decimal(share))
        style.label(axes, 126, y, "×", color=style.MUTED, fontsize=16)
        strip(axes, 146, y, values[n], full, float(share))
        if n:
            style.label(axes, 402, y - 19, "+", color=style.MUTED, fontsize=16)
    y = 50 + 38 * len(shares) + 12
    axes.plot([14, 408], [y - 25, y - 25], color=style.MUTED, linewidth=1)
    style.label(axes, 60, y, "the mix", ha="right")
    style.label(axes, 126, y, "=", color=style.MUTED, fontsize=16)
    strip(axes, 146, y, shares @ values, full, 1.0)
    return figure


def strip(
    axes: Axes, x: float, y: float, values: np.ndarray, full: float, height: float
) -> None:
    """Draws numbers as coloured cells: blue above 0, orange below.

    Args:
        full: the absolute value from which on the colour is full.
        height: 1 for full height; less draws a band inside an outline of full height.
    """
    size = HEIGHT * height
    for n, value in enumerate(values):
        color = style.BLUE if value >= 0 else style.ORANGE
        face = (color, round(min(abs(float(value)) / full, 1.0), 3))
        cell = Rectangle((x + CELL * n, y - size / 2), CELL, size, facecolor=face)
        axes.add_patch(cell)
    outline = Rectangle((x, y - HEIGHT / 2), CELL * len(values), HEIGHT)
    outline.set(facecolor="none", edgecolor=style.GRID)
    axes.add_patch(outline)
