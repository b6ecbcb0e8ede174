"""Figures and numbers of the chapter on attention."""

import numpy as np
from matplotlib.figure import Figure

from book import held_out, inside, play
from book.figures import _example as example
from book.figures import style
from book.figures._losses import claim, difference, rise, worse
from book.figures._text import decimal, percent
from solutions.solution_01 import GPT2Config
from tests.oracle import model as oracle

PROMPTS = ["They went to the", "Tom sat on the", "He ate all the"]
BLOCK, HEAD, ASKING = 2, 0, 7  # the third block's first head; the token with the query
HEAD_SIZES = 4 ** np.arange(6)
CANDIDATES, DRAWS = 8, 4000


def figures() -> dict[str, Figure]:
    return {"attention-by-hand": hand_figure(), "attention-scale": scale_figure()}


def numbers() -> dict[str, str | list]:
    config, length = play.checkpoint().config, len(play.encode(inside.SENTENCE))
    size = config.n_embd // config.n_head
    gpt2, alone = GPT2Config(), held_out.loss(silenced())
    claim("step_08", "rises from", worse(alone))
    claim("step_08", "texts of the same length", len(set(map(count, PROMPTS))) == 1)
    rows = alone_rows()
    _, answers, without = (set(column) for column in zip(*rows[1:], strict=True))
    claim("step_08", "the three answers are the same", len(without) == 1)
    claim("step_08", "the texts differ", len(answers) == len(PROMPTS))
    return {
        "alone": rows,
        "stories": str(len(held_out.stories())),
        "loss": f"{held_out.trained():.2f}",
        "loss_alone": decimal(alone.mean),
        "change": difference(rise(alone)),
        "vectors": example.vector_rows(),
        "home": example.home_rows(),
        "sum": decimal(np.exp(example.SCORES[2]).sum()),
        "ahead": decimal(oracle.softmax(example.SCORES)[0, 2]),
        "mix": example.mix_text(),
        "results": example.result_rows(),
        "real": real_rows(),
        "tokens": str(length),
        "size": str(size),
        "shapes": shape_rows(length, size),
        "gpt2_scores": f"{gpt2.n_layer * gpt2.n_head * gpt2.n_positions**2:,}",
    }


def silenced() -> dict[str, np.ndarray]:
    """The weights of a model whose attention adds 0."""
    weights = play.copy_weights()
    for name in weights:
        if "attn.c_proj" in name:
            weights[name][:] = 0
    return weights


def alone_rows() -> list[list[str]]:
    """A table of the likeliest tokens after texts with the same last token."""
    rows = [["text", "with attention", "without"]]
    for prompt in PROMPTS:
        found = (best_three(prompt, w) for w in (play.trained(), silenced()))
        rows.append([f"`{prompt}`", *found])
    return rows


def count(text: str) -> int:
    """The number of a text's tokens."""
    return len(play.encode(text))


def best_three(prompt: str, weights: play.Weights) -> str:
    best = play.next_tokens(prompt, weights, 3)
    return ", ".join(f"`{style.token(text)}`" for text, _ in best)


def real_rows() -> list[list[str]]:
    """A table of one token's scores and shares in the embedded model."""
    layer = inside.look_inside(inside.SENTENCE)[BLOCK]
    query, keys = layer.query[HEAD, ASKING], layer.key[HEAD, : ASKING + 1]
    dots, shares = keys @ query, layer.shares[HEAD, ASKING]
    rows = [["key of", "q · k", "÷ √D", "share"]]
    names = play.tokens(inside.SENTENCE)
    for name, dot, share in zip(names, dots, shares, strict=False):
        score = dot / np.sqrt(len(query))
        rows.append(
            [f"`{style.token(name)}`", decimal(dot), decimal(score), percent(share)]
        )
    return rows


def shape_rows(length: int, size: int) -> list[list[str]]:
    """A table of the shapes in step 08, and their sizes in one head."""
    parts, square = f"`[{length}, {size}]`", f"`[{length}, {length}]`"
    return [
        ["", "shape", "in one head"],
        ["query, key, value", "`[T, D]`", parts],
        ["keys on their side", "`[D, T]`", f"`[{size}, {length}]`"],
        ["scores", "`[T, T]`", square],
        ["mask", "`[T, T]`", square],
        ["shares", "`[T, T]`", square],
        ["result", "`[T, D]`", parts],
    ]


def hand_figure() -> Figure:
    hidden = np.isinf(oracle.causal_mask(len(example.WORDS)))
    texts = np.vectorize(decimal)(example.SCORES, 0)
    shares = np.vectorize(decimal)(example.SHARES)
    pale = 1.8 * example.SCORES.max()  # pale, so that the text is legible
    panels = {
        "scores": (example.SCORES, texts, None, pale),
        "masked scores": (example.SCORES, np.where(hidden, "−∞", texts), hidden, pale),
        "shares": (example.SHARES, shares, hidden, 1.8),
    }
    figure, axes = style.chain(210, ["+ mask", "softmax"])
    for axis, (title, (values, texts, covered, largest)) in zip(
        axes, panels.items(), strict=True
    ):
        options = {"rows": example.WORDS, "columns": example.WORDS, "texts": texts}
        style.heatmap(axis, values, largest=largest, hidden=covered, **options)
        axis.set_title(title)
        style.level_columns(axis)
    return figure


def largest_shares() -> np.ndarray:
    """The mean of the largest share, without and with division by √D: ``[2, sizes]``.

    Queries and keys are drawn from a normal distribution of variance 1.
    """
    rng = np.random.default_rng(8)
    means = []
    for size in HEAD_SIZES:
        query = rng.normal(size=(DRAWS, 1, size)).astype(np.float32)
        key = rng.normal(size=(DRAWS, CANDIDATES, size)).astype(np.float32)
        dots = np.einsum("bid,bjd->bij", query, key, dtype=np.float64)
        scaled = dots / np.sqrt(size)
        means.append([oracle.softmax(s).max(axis=-1).mean() for s in (dots, scaled)])
    return np.array(means).T


def scale_figure() -> Figure:
    raw, scaled = largest_shares()
    figure, axes = style.chart(240, width=520)
    axes.plot(HEAD_SIZES, raw, "o-", color=style.ORANGE)
    axes.plot(HEAD_SIZES, scaled, "o-", color=style.BLUE)
    style.label(
        axes, 16, raw[2] + 0.1, "scores as they are", color=style.ORANGE, ha="right"
    )
    style.label(axes, 64, scaled[3] - 0.09, "divided by √D", color=style.BLUE)
    axes.set_xscale("log", base=4)
    axes.set_xticks(HEAD_SIZES, [str(size) for size in HEAD_SIZES])
    axes.minorticks_off()
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("D, the length of query and key")
    axes.set_ylabel("share of the best key")
    return figure
