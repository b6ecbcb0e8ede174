"""Figures and numbers of the chapter on the language-model head."""

from math import exp

import numpy as np
from matplotlib.figure import Figure

from book import inside, play
from book.figures import style
from book.figures._losses import claim
from book.figures._parameters import parameters
from book.figures._words import percent, published, signed

PROMPT = "Once upon a time, there was a little"


def figures() -> dict[str, Figure]:
    return {"next-token": next_token_figure()}


def next_token_figure() -> Figure:
    """Draws bars of the likeliest next tokens and of all others together."""
    best = play.next_tokens(PROMPT, count=10)
    others = 1 - sum(share for _, share in best)
    count = play.checkpoint().config.vocab_size - len(best)
    labels = [*(style.token(token) for token, _ in best), f"{count:,} others"]
    shares = [*(share for _, share in best), others]
    figure, axes = style.chart(300, width=500)
    colors = [style.BLUE] * len(best) + [style.ORANGE]
    texts = [percent(share) for share in shares]
    style.bars(axes, labels, shares, color=colors, texts=texts)
    axes.set_title(f"{PROMPT} …")
    axes.set_xlim(0, max(shares) * 1.15)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    return figure


def numbers() -> dict[str, str | list]:
    config, real = play.checkpoint().config, published("gpt2")
    channels, vocabulary = config.n_embd, config.vocab_size
    length = len(play.encode(PROMPT))
    table = parameters(real, "wte")
    claim("step_13", "is most often the same one", own_row_is_best() > 0.5)
    return {
        "prompt": PROMPT,
        "channels": f"{channels}",
        "vocabulary": f"{vocabulary:,}",
        "hidden": hidden(),
        "hidden_shape": f"`[1, {length}, {channels}]`",
        "table_shape": f"`[{vocabulary}, {channels}]`",
        "turned_shape": f"`[{channels}, {vocabulary}]`",
        "logits_shape": f"`[1, {length}, {vocabulary}]`",
        "gpt2_head": f"{table:,}",
        "gpt2_total": f"{parameters(real):,}",
        "gpt2_head_share": percent(table / parameters(real)),
        "ratio": f"{exp(2):.1f}",
    }


def own_row_is_best() -> float:
    """The share of tokens that a model without blocks repeats, at the first place."""
    weights = play.trained()
    table = weights["wte.weight"]
    stream = inside.norm(table + weights["wpe.weight"][0], weights, "ln_f")
    return float(np.mean((stream @ table.T).argmax(axis=-1) == np.arange(len(table))))


def hidden() -> list[list[str]]:
    """A table of the first numbers of the last token's hidden state."""
    last = inside.norm(inside.streams(PROMPT)[-1], play.trained(), "ln_f")[-1]
    shown = 6
    names = [f"channel {c}" for c in range(shown)]
    return [[*names, "…"], [*(signed(x) for x in last[:shown]), "…"]]
