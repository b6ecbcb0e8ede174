"""Figures and numbers of the chapter on multi-head attention."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import held_out, inside, play
from book.figures import style
from book.figures._example import KEY, QUERY, WORDS
from book.figures._losses import change
from book.figures._text import decimal, percent
from tests.oracle import model as oracle

HOME = QUERY[2], np.array([2, 0, 1, 0])  # the queries of "home" in two heads
BLOCK = 3  # the last one
OWNERS = style.BLUE, style.ORANGE  # colours of the two heads' channels


def figures() -> dict[str, Figure]:
    return {"attention-heads": heads_figure(), "split-heads": split_figure()}


def numbers() -> dict[str, str | list]:
    config, length = play.checkpoint().config, len(play.encode(inside.SENTENCE))
    return {
        "home": home_rows(),
        "asking": named(asking()),
        "choices": choice_rows(),
        "tokens": str(length),
        "shapes": shape_rows(length, config.n_head, config.n_embd),
        "rises": rise_rows(),
    }


def home_rows() -> list[list[str]]:
    """A table of one word's shares in two heads of 4 channels and one head of 8."""
    dots = [query @ KEY.T for query in HOME]
    shares = [oracle.softmax(d / np.sqrt(KEY.shape[-1])) for d in dots]
    shares.append(oracle.softmax(sum(dots) / np.sqrt(2 * KEY.shape[-1])))
    rows = zip(WORDS, *(map(decimal, share) for share in shares), strict=True)
    header = ["`home` looks at", "head 0", "head 1", "one head of 8"]
    return [header, *map(list, rows)]


def choice_rows() -> list[list[str]]:
    """A table of the token with the largest share in each head of one block."""
    rows = [["head", "looks most at", "share"]]
    for head, shares in enumerate(block_shares()[:, asking()]):
        rows.append([str(head), named(int(shares.argmax())), percent(shares.max())])
    return rows


def asking() -> int:
    """The word for which most heads look at different tokens, and look most."""

    def difference_of(token: int) -> tuple[int, float]:
        best = block_shares()[:, token]
        return len(set(best.argmax(axis=-1))), best.max(axis=-1).min()

    words = (
        i for i, t in enumerate(play.tokens(inside.SENTENCE)) if t.strip().isalpha()
    )
    return max(words, key=difference_of)


def block_shares() -> np.ndarray:
    """The shares ``[H, T, T]`` of the block that the page shows."""
    return inside.look_inside(inside.SENTENCE)[BLOCK].shares


def named(place: int) -> str:
    """A token of the sentence and its place."""
    return f"`{style.token(play.tokens(inside.SENTENCE)[place])}` ({place})"


def shape_rows(length: int, heads: int, channels: int) -> list[list[str]]:
    """A table of the shapes in step 09, and their sizes in the embedded model."""
    size = channels // heads
    joined, cut = [1, length, channels], [1, length, heads, size]
    apart, scores = [1, heads, length, size], [1, heads, length, length]
    rows = {
        "x, query, key, value": ("[B, T, C]", joined),
        "cut the channels": ("[B, T, H, D]", cut),
        "heads to the front": ("[B, H, T, D]", apart),
        "scores, inside step 08": ("[B, H, T, T]", scores),
        "result of step 08": ("[B, H, T, D]", apart),
        "heads back": ("[B, T, H, D]", cut),
        "join the channels": ("[B, T, C]", joined),
        "`c_proj`": ("[B, T, C]", joined),
    }
    header = ["", "shape", "in the embedded model"]
    return [header, *([name, f"`{s}`", f"`{n}`"] for name, (s, n) in rows.items())]


def silence(block: int, head: int) -> dict[str, np.ndarray]:
    """The trained weights, with one head's contribution set to 0."""
    weights, config = play.copy_weights(), play.checkpoint().config
    size = config.n_embd // config.n_head
    weights[f"h.{block}.attn.c_proj.weight"][:, head * size : (head + 1) * size] = 0
    return weights


def rise_rows() -> list[list[str]]:
    """A table of the change of the loss without each head."""
    config = play.checkpoint().config
    rows = [["block", *(f"head {head}" for head in range(config.n_head))]]
    for block in range(config.n_layer):
        silent = [silence(block, head) for head in range(config.n_head)]
        rows.append([str(block), *(change(held_out.loss(w)) for w in silent)])
    return rows


def heads_figure() -> Figure:
    names = [style.token(name) for name in play.tokens(inside.SENTENCE)]
    hidden = np.isinf(oracle.causal_mask(len(names)))
    figure, panels = style.charts(660, rows=2, columns=2)
    for head, axes in enumerate(panels.flat):
        shares = block_shares()[head]
        style.heatmap(
            axes, shares, rows=names, columns=names, largest=1.0, hidden=hidden
        )
        axes.set_title(f"head {head}")
    return figure


def split_figure() -> Figure:
    tokens, channels, heads = 3, 4, 2
    x = 10 * np.arange(tokens)[:, None] + np.arange(channels)
    right = x.reshape(tokens, heads, -1).swapaxes(0, 1)
    wrong = x.reshape(heads, tokens, -1)
    figure, axes = style.canvas(300, width=440)
    style.label(axes, 74, 80, "x, [T, C]")
    draw_numbers(axes, 4, 96, x)
    draw_heads(axes, 36, "reshape, then transpose", right)
    draw_heads(axes, 186, "reshape alone", wrong)
    return figure


def draw_heads(axes: Axes, y: float, title: str, parts: np.ndarray) -> None:
    """Draws an arrow, a title, and ``[H, T, D]`` below it."""
    style.arrow(axes, (160, 140), (206, y + 44))
    style.label(axes, 320, y - 16, title)
    for head, part in enumerate(parts):
        x = 230 + 110 * head
        draw_numbers(axes, x, y, part)
        style.label(axes, x + 35, y + 102, f"head {head}", color=style.MUTED)


def draw_numbers(axes: Axes, x: float, y: float, values: np.ndarray) -> None:
    """Draws numbers in squares. The last digit is the channel and sets the colour."""
    for (row, column), value in np.ndenumerate(values):
        owner = OWNERS[value % 10 // 2]
        place = x + 36 * column, y + 30 * row
        style.box(axes, *place, 33, 27, f"{value:02}", color=owner)
