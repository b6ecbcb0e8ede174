"""Figures and numbers of the chapter on the feed-forward network."""

from collections.abc import Callable, Iterator
from math import erf

import numpy as np
from matplotlib.figure import Figure

from book import held_out, inside, play
from book.figures import style
from book.figures._losses import claim, loss_cell, loss_head
from book.figures._words import code, quoted, signed
from tests.oracle import model as oracle

LISTED = 4  # hidden units of a table
WORDS = 5  # tokens with the highest activation of each unit
STORIES = 30  # held-out stories in which the tokens are looked for


def figures() -> dict[str, Figure]:
    return {"gelu": gelu_figure(), "mlp-hidden": hidden_figure()}


def numbers() -> dict[str, str | list]:
    config, curve = play.checkpoint().config, oracle.gelu(np.linspace(-3, 3, 6_001))
    x = np.linspace(-6, 6, 12_001)
    gap = np.abs(exact(x) - oracle.gelu(x))
    hidden = np.concatenate([*before_gelu()])
    blocks = [n for n in play.trained() if n.startswith("h.")]
    sizes = {name: play.trained()[name].size for name in blocks}
    mlp = sum(size for name, size in sizes.items() if ".mlp." in name)
    return {
        "channels": str(config.n_embd),
        "inner": str(config.n_inner),
        "parameters": f"{mlp // config.n_layer:,}",
        "merged": f"{config.n_embd**2 + config.n_embd:,}",
        "of_blocks": f"{100 * mlp / sum(sizes.values()):.0f} %",
        "variants": variant_rows(),
        "values": value_rows(),
        "lowest": signed(curve.min(), 3),
        "lowest_at": signed(np.linspace(-3, 3, 6_001)[curve.argmin()]),
        "gap": f"{gap.max():.5f}",
        "gap_at": f"{np.abs(x[gap.argmax()]):.1f}",
        "negative": f"{100 * (hidden < 0).mean():.0f} %",
        "large": f"{100 * (oracle.gelu(hidden) > 1).mean():.0f} %",
        "units": unit_rows(),
        "one": token_rows(),
    }


def exact(x: np.ndarray) -> np.ndarray:
    """The exact GELU, x · Φ(x). The tanh form approximates it."""
    return x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


VARIANTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exact GELU": exact,
    "x · sigmoid(1.702 x)": lambda x: x / (1 + np.exp(-1.702 * x)),
    "SiLU": lambda x: x / (1 + np.exp(-x)),
    "ReLU": relu,
    "nothing (x itself)": lambda x: x,
}


def variant_rows() -> list[list[str]]:
    """A table of loss and text for each function in the place of GELU."""
    ids = play.encode(inside.STORY)
    right = play.logits(ids)
    head = ["between the layers", "logits change by", loss_head(), "what it writes"]
    rows = [head, ["**tanh GELU**", "0", loss_cell(held_out.trained()), written()]]
    means = []
    for name, function in VARIANTS.items():
        with play.instead("gelu", function):
            loss, change = held_out.loss(), np.abs(play.logits(ids) - right).max()
            rows.append([name, f"{change:.2g}", loss_cell(loss), written()])
            means.append(loss.mean)
    claim("step_04", "With nothing there, the model is lost", means[-1] == max(means))
    return rows


def written() -> str:
    """A text that the patched model writes."""
    return quoted(play.write("Once upon a time", count=10))


def value_rows() -> list[list[str]]:
    """A table of the three functions at a few values of x."""
    x = np.array([-3, -1, -0.5, 0, 0.5, 1, 3])
    rows = {"ReLU": relu(x), "GELU, exact": exact(x), "GELU, tanh": oracle.gelu(x)}
    header = ["x", *(signed(v, 1) for v in x)]
    return [header, *([n, *(signed(v, 4) for v in r)] for n, r in rows.items())]


def before_gelu(text: str = inside.STORY) -> Iterator[np.ndarray]:
    """Yields the input ``[T, I]`` of GELU in each block, for a text."""
    weights = play.trained()
    for number, layer in enumerate(inside.look_inside(text)):
        x, name = layer.stream + layer.attended, f"h.{number}"
        normed = inside.norm(x, weights, f"{name}.ln_2")
        yield oracle.linear(normed, weights, f"{name}.mlp.c_fc")


def token_rows() -> list[list[str]]:
    """A table of a few hidden units of the last block, for the story's first token."""
    hidden = [*before_gelu()][-1][0, :6]
    rows = {"after `c_fc`": hidden, "after GELU": oracle.gelu(hidden)}
    header = ["", *(f"unit {i}" for i in range(len(hidden)))]
    return [header, *([n, *(signed(v) for v in r)] for n, r in rows.items())]


def unit_rows() -> list[list[str]]:
    """A table of hidden units and of the tokens at which each is largest."""
    best = np.argsort(-largest_activations(), axis=0)[:WORDS].T  # [I, WORDS]
    rows = [["hidden unit", "is largest at"]]
    for unit in alike(play.trained()["wte.weight"].astype(np.float64), best)[:LISTED]:
        tokens = (play.checkpoint().tokenizer.token(int(i)) for i in best[unit])
        rows.append([str(unit), " ".join(map(code, tokens))])
    return rows


def largest_activations() -> np.ndarray:
    """``[V, I]``: the last block's largest activation at each token, in stories.

    A token that the stories lack has −∞.
    """
    config = play.checkpoint().config
    largest = np.full((config.vocab_size, config.n_inner), -np.inf)
    for ids in held_out.token_ids()[:STORIES]:
        text = play.checkpoint().tokenizer.decode(ids[1 : config.n_positions])
        *_, hidden = before_gelu(text)
        np.maximum.at(largest, play.encode(text), oracle.gelu(hidden))
    return largest


def alike(table: np.ndarray, best: np.ndarray) -> list[int]:
    """The units whose tokens are whole words, ordered by the words' similarity."""
    tokenizer = play.checkpoint().tokenizer
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    closeness = {
        number: (unit[ids] @ unit[ids].T).sum()
        for number, ids in enumerate(best)
        if all(is_word(tokenizer.token(int(i))) for i in ids)
    }
    return sorted(closeness, key=lambda number: -closeness[number])


def is_word(token: str) -> bool:
    """True if a token starts a word and has at least three letters."""
    return token[0] == " " and token[1:].isalpha() and len(token) > 3


def gelu_figure() -> Figure:
    """Draws GELU beside ReLU, and the small difference between GELU's two forms."""
    figure, (curves, gap) = style.charts(270, columns=2, width_ratios=(1.7, 1))
    x = np.linspace(-4, 3, 281)
    curves.plot(x, oracle.gelu(x), color=style.BLUE)
    curves.plot(x, relu(x), color=style.ORANGE, linestyle="--", linewidth=1.5)
    curves.text(1.35, 0.95, "GELU", color=style.BLUE)
    curves.text(0.55, 2.1, "ReLU", color=style.ORANGE, ha="center")
    curves.set_title("two bends")
    difference = exact(x) - oracle.gelu(x)
    gap.plot(x, 1e3 * difference, color=style.MUTED, linewidth=1.2)
    gap.set_ylim(-2, 2)
    gap.set_title("exact − tanh, × 1,000", fontweight="normal")
    for axes in (curves, gap):
        axes.axhline(0, color=style.GRID, linewidth=1, zorder=0)
        axes.axvline(0, color=style.GRID, linewidth=1, zorder=0)
        axes.set_xlabel("x")
    return figure


def hidden_figure() -> Figure:
    """Draws a histogram of GELU's inputs in the embedded model."""
    figure, axes = style.chart(230, width=560)
    values = np.concatenate([*before_gelu()]).ravel()
    counts, edges = np.histogram(values, bins=np.arange(-6, 6.25, 0.25))
    colors = [style.ORANGE if edge < 0 else style.BLUE for edge in edges[:-1]]
    shares = 100 * counts / len(values)
    axes.bar(edges[:-1], shares, width=0.22, align="edge", color=colors)
    low = 100 * (values < 0).mean()
    top = shares.max()
    axes.text(-5.8, 0.8 * top, f"{low:.0f} % below 0", color=style.ORANGE)
    axes.text(5.8, 0.8 * top, f"{100 - low:.0f} % above", color=style.BLUE, ha="right")
    axes.set_xlabel("number that GELU gets")
    axes.set_ylabel("% of all")
    return figure
