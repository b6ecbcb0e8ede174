"""Figures and numbers of the chapter on the configuration."""

from dataclasses import asdict
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import held_out, play
from book.figures import style
from book.figures._losses import claim, loss_cell, loss_head, worse
from book.figures._words import published, quoted
from book.lab.record import OPENINGS
from gpt2.checkpoint.loading import EMBEDDED
from gpt2.checkpoint.safetensors_files import read_weights
from solutions.solution_01 import GPT2Config

SMALL = GPT2Config()
SHORTEST, LONGEST, MORE = 12, 40, 4  # tokens of a continuation
FAMILY = {  # Radford et al. 2019, table 2; the heads are those of the released files
    "GPT-2": SMALL,
    "GPT-2 medium": published("gpt2-medium"),
    "GPT-2 large": published("gpt2-large"),
    "GPT-2 XL": published("gpt2-xl"),
}
MEANING = {
    "vocab_size": "V, different tokens",
    "n_positions": "P, longest text in tokens",
    "n_embd": "C, channels: numbers per token",
    "n_layer": "L, blocks",
    "n_head": "H, attention heads per block",
    "n_inner": "I, width inside the feed-forward network",
    "layer_norm_epsilon": "ε, keeps a division from failing",
}
TENSORS = {  # name: shape, and the part of the model
    "wte.weight": ("[V, C]", "the token table"),
    "wpe.weight": ("[P, C]", "the table of positions"),
    "h.0.ln_1.weight": ("[C]", "normalization before attention"),
    "h.0.ln_1.bias": ("[C]", ""),
    "h.0.attn.c_attn.weight": ("[3 C, C]", "query, key and value"),
    "h.0.attn.c_attn.bias": ("[3 C]", ""),
    "h.0.attn.c_proj.weight": ("[C, C]", "attention's last linear layer"),
    "h.0.attn.c_proj.bias": ("[C]", ""),
    "h.0.ln_2.weight": ("[C]", "normalization before the network"),
    "h.0.ln_2.bias": ("[C]", ""),
    "h.0.mlp.c_fc.weight": ("[I, C]", "the network's first linear layer"),
    "h.0.mlp.c_fc.bias": ("[I]", ""),
    "h.0.mlp.c_proj.weight": ("[C, I]", "the network's second linear layer"),
    "h.0.mlp.c_proj.bias": ("[C]", ""),
    "ln_f.weight": ("[C]", "normalization at the end"),
    "ln_f.bias": ("[C]", ""),
}


def figures() -> dict[str, Figure]:
    return {"parameter-budget": budget_figure()}


def numbers() -> dict[str, str | list]:
    config, weights = play.checkpoint().config, play.trained()
    total, file = sum(x.size for x in weights.values()), model_file()
    stored = stored_type()
    assert total == sum(budget(config).values())
    return {
        "total": f"{total:,}",
        "tensors": str(len(weights)),
        "rows": f"{config.vocab_size:,}",
        "channels": str(config.n_embd),
        "layers": str(config.n_layer),
        "last": f"`h.{config.n_layer - 1}`",
        "heads": str(config.n_head),
        "stored": stored.name,
        "width": str(stored.itemsize),
        "bytes": f"{stored.itemsize * total:,}",
        "file": f"{file:,}",
        "header": f"{file - stored.itemsize * total:,}",
        "gpt2_total": f"{sum(budget(SMALL).values()):,}",
        "gpt2_bytes": f"{4 * sum(budget(SMALL).values()) / 1e6:.0f} MB",
        "gpt2_table": part_of(SMALL, "token table"),
        "gpt2_inner": part_of(SMALL, "feed-forward"),
        "gpt2_attention": part_of(SMALL, "attention"),
        "fields": field_rows(config),
        "by_heads": by_heads(config),
        "names": tensor_rows(),
        "family": family_rows(),
    }


def model_file() -> int:
    """The size of the embedded model's file in bytes."""
    return (EMBEDDED["tiny-stories"] / "model.safetensors").stat().st_size


def stored_type() -> np.dtype:
    """The type of all numbers in the embedded model's file."""
    arrays = read_weights(EMBEDDED["tiny-stories"]).values()
    (stored,) = {array.dtype for array in arrays}
    return stored


def budget(config: GPT2Config) -> dict[str, int]:
    """The number of parameters of each part, calculated from the sizes."""
    channels, inner, layers = config.n_embd, config.n_inner, config.n_layer
    return {
        "token table": config.vocab_size * channels,
        "position table": config.n_positions * channels,
        "attention": layers * (4 * channels**2 + 4 * channels),
        "feed-forward": layers * (2 * channels * inner + inner + channels),
        "normalization": (4 * layers + 2) * channels,
    }


def part_of(config: GPT2Config, part: str) -> str:
    """How many of all parameters a part has, in percent."""
    parts = budget(config)
    return f"{100 * parts[part] / sum(parts.values()):.0f} %"


def field_rows(config: GPT2Config) -> list[list[str]]:
    """A table of the seven fields in GPT-2 and in the embedded model."""
    rows = [
        [f"`{name}`", MEANING[name], f"{value:,}", f"{asdict(config)[name]:,}"]
        for name, value in asdict(SMALL).items()
    ]
    return [["field", "what it counts", "GPT-2", "embedded"], *rows]


def by_heads(config: GPT2Config) -> list[list[str]]:
    """A table of loss and text for the same weights with other numbers of heads."""
    counts = head_counts(config)
    losses = {count: held_out.loss(n_head=count) for count in counts}
    losses[config.n_head] = held_out.trained()
    others = [loss for count, loss in losses.items() if count != config.n_head]
    claim("step_01", "The loss has found it", worse(*others))
    rows, opening = [["heads", loss_head(), "what it writes"]], telling_opening(counts)
    for count, loss in losses.items():
        text = quoted(written(opening, count, apart(opening, counts) + MORE))
        name = f"**{count}, as trained**" if count == config.n_head else str(count)
        rows.append([name, loss_cell(loss), text])
    return rows


def head_counts(config: GPT2Config) -> list[int]:
    """One head, fewer than the model has, as many, and at least four times as many."""
    fits = [n for n in range(1, config.n_embd + 1) if config.n_embd % n == 0]
    fewer = max(n for n in fits if n < config.n_head)
    more = min(n for n in fits if n >= 4 * config.n_head)
    return sorted({1, fewer, config.n_head, more})


def telling_opening(counts: list[int]) -> str:
    """The opening after which other numbers of heads show soonest in the text."""
    return min(OPENINGS, key=lambda opening: apart(opening, counts))


def apart(opening: str, counts: list[int]) -> int:
    """The tokens after which the texts of all numbers of heads differ, if any do."""
    lengths = range(SHORTEST, LONGEST)
    for length in lengths:
        if len({written(opening, count, length) for count in counts}) == len(counts):
            return length
    return lengths.stop


@cache
def continued(opening: str, n_head: int) -> list[int]:
    """The ids of an opening and of its greedy continuation, to the end of the text."""
    return play.greedy(opening, count=LONGEST + MORE, to_end=True, n_head=n_head)


def written(opening: str, n_head: int, count: int) -> str:
    """An opening and ``count`` tokens that the model writes with ``n_head`` heads."""
    ids = continued(opening, n_head)[: len(play.encode(opening)) + count]
    return play.checkpoint().tokenizer.decode(ids)


def tensor_rows() -> list[list[str]]:
    """A table of names, shapes and counts of the tensors, with one block."""
    rows = [["name", "belongs to", "shape", "here", "numbers"]]
    for name, (letters, part) in TENSORS.items():
        array = play.trained()[name]
        here = " × ".join(map(str, array.shape))
        rows.append([f"`{name}`", part, letters, here, f"{array.size:,}"])
    return rows


def family_rows() -> list[list[str]]:
    """A table of the four released sizes of GPT-2."""
    rows = [["", "L", "C", "H", "D = C / H", "parameters"]]
    for name, size in FAMILY.items():
        total = f"{sum(budget(size).values()):,}"
        sizes = (size.n_layer, size.n_embd, size.n_head, size.n_embd // size.n_head)
        rows.append([name, *map(str, sizes), total])
    return rows


def budget_figure() -> Figure:
    """Draws how many of each model's parameters each part has."""
    models = {"embedded": play.checkpoint().config, **FAMILY}
    figure, axes = style.chart(330)
    for row, config in enumerate(models.values()):
        stack(axes, row, budget(config))
    label_narrow(axes, budget(models["embedded"]))
    names = [
        f"{name}\n{sum(budget(config).values()) / 1e6:,.0f} M"
        for name, config in models.items()
    ]
    axes.set_yticks(range(len(models)), names)
    axes.tick_params(axis="y", length=0, labelcolor=style.INK)
    for tick in axes.get_yticklabels():
        tick.set_multialignment("right")
    axes.set_ylim(len(models) - 0.5, -0.8)
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of the model's parameters")
    axes.spines["left"].set_visible(False)
    return figure


def label_narrow(axes: Axes, parts: dict[str, int]) -> None:
    """Writes the names of the first bar's two narrow parts beside the bar."""
    total = sum(parts.values())
    place = 100 * (parts["token table"] + parts["position table"] / 2) / total
    small = {"fontsize": style.SMALL, "va": "bottom"}
    style.label(axes, place, -0.4, "position table", color=style.ORANGE, **small)
    style.label(axes, 100, -0.4, "normalization", color=style.GOLD, ha="right", **small)


def stack(axes: Axes, row: int, parts: dict[str, int]) -> None:
    """Draws one model's bar; a narrow part has a colour and no name."""
    left, total = 0.0, sum(parts.values())
    for color, (name, count) in zip(style.COLORS, parts.items(), strict=False):
        width = 100 * count / total
        face = (color, 0.25)
        axes.barh(row, width, left=left, height=0.62, color=face, edgecolor=color)
        if width > 4:
            style.label(axes, left + width / 2, row + 0.12, f"{width:.0f}")
        if width > 15:
            middle = left + width / 2
            style.label(axes, middle, row - 0.14, name, fontsize=style.SMALL)
        left += width
