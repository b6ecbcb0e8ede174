"""Figures and numbers of the chapter on layer normalization."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import held_out, inside, play
from book.figures import style
from book.figures._losses import claim, loss_cell, loss_head, rise
from book.figures._words import code, quoted, signed

TEXT = "Tom has a dog."
SHOWN = 4  # channels of a table
CHOSEN = 3  # the token of a table

Norm = Callable[..., np.ndarray]


def figures() -> dict[str, Figure]:
    return {"layer-norm": norm_figure()}


def numbers() -> dict[str, str | list]:
    variances = [x.var(axis=-1) for x in streams(inside.STORY).values()]
    channels = play.checkpoint().config.n_embd
    lengths = np.linalg.norm(normalized(), axis=-1)
    return {
        "variants": variant_rows(),
        "growth": growth_rows(),
        "token": token_rows(),
        "token_name": code(play.tokens(TEXT)[CHOSEN]),
        "mean": signed(last_stream()[CHOSEN].mean()),
        "deviation": f"{last_stream()[CHOSEN].std():.2f}",
        "channels": str(channels),
        "root": f"{np.sqrt(channels):.2f}",
        "shortest": f"{lengths.min():.2f}",
        "longest": f"{lengths.max():.2f}",
        "smallest_variance": f"{min(v.min() for v in variances):.4f}",
        "tiny_eps": tiny_epsilon(),
        "norms": str(2 * play.checkpoint().config.n_layer + 1),
    }


def streams(text: str) -> dict[str, np.ndarray]:
    """The input ``[T, C]`` of each normalization in the model, by name."""
    found = {}
    for number, layer in enumerate(inside.look_inside(text)):
        found[f"h.{number}.ln_1"] = layer.stream
        found[f"h.{number}.ln_2"] = layer.stream + layer.attended
        found["ln_f"] = layer.stream + layer.attended + layer.fed
    return found | {"ln_f": found.pop("ln_f")}


def last_stream() -> np.ndarray:
    """The stream ``[T, C]`` before the last block."""
    return inside.look_inside(TEXT)[-1].stream


def normalized() -> np.ndarray:
    """The normalized ``last_stream`` ``[T, C]``, without weight and bias."""
    x = last_stream()
    eps = play.checkpoint().config.layer_norm_epsilon
    variance = x.var(axis=-1, keepdims=True)
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(variance + eps)


def variants() -> dict[str, Norm]:
    """Functions in place of layer normalization, by name."""

    def none(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float):
        return x * weight + bias

    def uncentred(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * weight + bias

    def unscaled(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float):
        return (x - x.mean(-1, keepdims=True)) * weight + bias

    return {
        "no normalization": none,
        "mean subtracted, no division": unscaled,
        "mean left in, divided by √(mean of x²)": uncentred,
    }


def tiny_epsilon() -> str:
    """The change of the loss with an ε of 10⁻¹²."""
    changed = rise(held_out.loss(layer_norm_epsilon=1e-12))
    claim("step_03", "which is a tie", changed.tied)
    size, least = abs(changed.mean), 0.00001
    return f"less than {least:.5f}" if size < least else f"{size:.5f}"


def variant_rows() -> list[list[str]]:
    """A table of loss and text for each kind of normalization."""
    losses, texts = [held_out.trained()], [written()]
    for norm in variants().values():
        with play.instead("layer_norm", norm):
            losses.append(held_out.loss())
            texts.append(written())
    least = min(losses[1:], key=lambda loss: loss.mean)
    claim("step_03", "the last row is the least bad", losses[-1] is least)
    names = "**as trained**", *variants()
    rows = zip(names, map(loss_cell, losses), texts, strict=True)
    head = ["", loss_head(), "what it writes"]
    return [head, *(list(row) for row in rows)]


def written() -> str:
    """A text that the patched model writes."""
    return quoted(play.write("Once upon a time", count=12))


def growth_rows() -> list[list[str]]:
    """A table of the channels' standard deviation before each block."""
    rows, medians = [["before", "smallest", "median", "largest"]], []
    for name, x in streams(inside.STORY).items():
        if not name.endswith("ln_2"):
            spread = x.std(axis=-1)
            medians.append(float(np.median(spread)))
            shown = spread.min(), medians[-1], spread.max()
            block = name.removeprefix("h.").removesuffix(".ln_1")
            place = "the end (`ln_f`)" if name == "ln_f" else f"block {block}"
            rows.append([place, *(f"{value:.2f}" for value in shown)])
    claim("step_03", "So the numbers grow", medians[-1] > 2 * medians[0])
    return rows


def token_rows() -> list[list[str]]:
    """A table of one token's first channels in each step of the equation."""
    x, y, weights = last_stream()[CHOSEN], normalized()[CHOSEN], play.trained()
    name = f"h.{play.checkpoint().config.n_layer - 1}.ln_1"
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    rows = {
        "$x$": x,
        r"$x - \mu$": x - x.mean(),
        r"$(x - \mu) / \sqrt{\sigma^2 + \varepsilon}$": y,
        "weight": weight,
        "bias": bias,
        "result": y * weight + bias,
    }
    header = ["", *(f"channel {i}" for i in range(SHOWN))]
    return [header, *([n, *(signed(v) for v in r[:SHOWN])] for n, r in rows.items())]


def norm_figure() -> Figure:
    """Draws every channel of every token as a tick, before and after normalization."""
    figure, (before, after) = style.charts(300, columns=2, sharey=True)
    names = [style.token(t) for t in play.tokens(TEXT)]
    ticks(before, last_stream(), style.ORANGE)
    ticks(after, normalized(), style.BLUE)
    before.set_title("before")
    after.set_title("after")
    before.set_yticks(range(len(names)), names)
    before.invert_yaxis()
    for axes in (before, after):
        axes.tick_params(axis="y", length=0, labelcolor=style.INK)
        axes.set_xlim(*np.array([-1.05, 1.05]) * np.abs(last_stream()).max())
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("value of a channel")
    return figure


def ticks(axes: Axes, rows: np.ndarray, color: str) -> None:
    """Draws a tick for each number and a bar of mean ± standard deviation."""
    for place, values in enumerate(rows):
        x = np.repeat(values, 3)
        y = np.tile([place - 0.22, place + 0.22, np.nan], len(values))
        axes.plot(x, y, color=color, linewidth=0.7, alpha=0.7)
        mean, spread = values.mean(), values.std()
        ends = [mean - spread, mean + spread]
        axes.plot(ends, [place + 0.33] * 2, color=style.INK, linewidth=2.5)
        axes.plot([mean] * 2, [place + 0.24, place + 0.42], color=style.INK)
