"""Figures and numbers of the chapter on token embeddings."""

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from book import held_out, neighbours, play
from book.figures import style
from book.figures._losses import claim, loss_cell, loss_head, worse
from book.figures._words import code
from solutions.solution_01 import GPT2Config
from tests.oracle import model as oracle

TEXT = "Tom has a dog."
GPT2_IDS = 13787, 468, 257, 3290, 13  # the same tokens in GPT-2's own vocabulary
OPENING = "Tom has a"
PROMPT = "Once upon a time"  # where the model writes
WORDS = " red", " cat", " girl", " happy", " said", " Lily", " big", " ran"
PAIRS = (" he", " she", " boy"), (" he", " she", " his"), (" he", " she", " himself")
NEVER = 0xC0, 0xC1, *range(0xF5, 0x100)  # bytes that UTF-8 never uses
SQUARES = 9  # numbers of a drawn row
CELL = 13  # pixels of a drawn number


def figures() -> dict[str, Figure]:
    return {"embedding-lookup": lookup_figure()}


def numbers() -> dict[str, str | list]:
    table, small = play.trained()["wte.weight"], GPT2Config()
    total = sum(x.size for x in play.trained().values())
    check_experiment()
    rows, channels = table.shape
    return {
        "rows": f"{rows:,}",
        "channels": str(channels),
        "of_all": f"{100 * table.size / total:.0f} %",
        "gpt2_parameters": f"{small.vocab_size * small.n_embd:,}",
        "ids": id_rows(),
        "lookups": lookup_rows(),
        "neighbours": neighbour_rows(),
        "analogies": analogy_rows(),
        "never": str(len(NEVER)),
        "never_cosine": never_cosine(),
    }


def id_rows() -> list[list[str]]:
    """A table of one text's ids in two vocabularies."""
    names = [code(t) for t in play.tokens(TEXT)]
    here = [str(i) for i in play.encode(TEXT)]
    return [
        ["", *names],
        ["embedded model", *here],
        ["GPT-2", *(f"{i:,}" for i in GPT2_IDS)],
    ]


def logits(ids: list[int], looked_up: np.ndarray) -> np.ndarray:
    """The logits ``[T, V]`` of a model whose embedding table is ``looked_up``."""
    config, weights = play.checkpoint().config, dict(play.trained())
    own = oracle.as_float(weights["wte.weight"])
    weights["wte.weight"] = looked_up
    hidden = oracle.hidden_states(
        np.array([ids]), weights, config.n_layer, config.n_head
    )
    return hidden[0] @ own.T


def lookup_rows() -> list[list[str]]:
    """A table of loss and next token for wrong look-ups."""
    table = play.trained()["wte.weight"]
    scaled = table * np.sqrt(table.shape[1])
    ways = {
        "the next row": np.roll(table, -1, axis=0),
        "its own row × √C, as in the first Transformer": scaled,
        "zeros": np.zeros_like(table),
    }
    losses = [held_out.measure(partial(logits, looked_up=t)) for t in ways.values()]
    claim("step_05", "the model reads another text", worse(losses[0]))
    rows = [["each token gets", loss_head(), f"likeliest after `{OPENING}`"]]
    rows.append(["**its own row**", loss_cell(held_out.trained()), likeliest(table)])
    for (name, looked_up), loss in zip(ways.items(), losses, strict=True):
        rows.append([name, loss_cell(loss), likeliest(looked_up)])
    return rows


def likeliest(looked_up: np.ndarray) -> str:
    """The token that the model expects with this embedding table."""
    best = int(logits(play.encode(OPENING), looked_up)[-1].argmax())
    return code(play.checkpoint().tokenizer.token(best))


def nearest(table: np.ndarray, arrow: np.ndarray, without: set[int]) -> str:
    """The tokens whose rows have the highest cosine similarity to a vector."""
    found = neighbours.nearest(table, arrow, without)
    return " ".join(code(token) for token, _ in found)


def neighbour_rows() -> list[list[str]]:
    """A table of the tokens most similar to a few words."""
    table = neighbours.directions(play.trained())
    rows = [["row of", "is most like the rows of"]]
    for word in WORDS:
        if len(ids := play.encode(word)) == 1:
            rows.append([code(word), nearest(table, table[ids[0]], {ids[0]})])
    return rows


def analogy_rows() -> list[list[str]]:
    """A table of the tokens most similar to row c − row a + row b."""
    table = neighbours.directions(play.trained())
    rows = [["sum of rows", "is most like the rows of"]]
    for words in PAIRS:
        a, b, c = (play.encode(word)[0] for word in words)
        name = "`{2}` − `{0}` + `{1}`".format(*map(style.token, words))
        arrow = table[c] - table[a] + table[b]
        rows.append([name, nearest(table, arrow, {a, b, c})])
    return rows


def never_cosine() -> str:
    """The mean cosine of the angles between the rows of bytes that no text has."""
    name, rows = play.checkpoint().tokenizer.name, neighbours.directions(play.trained())
    wanted = {f"bytes:\\x{byte:02x}" for byte in NEVER}
    ids = [i for i in range(len(rows)) if name(i) in wanted]
    assert len(ids) == len(NEVER)
    cosines = (rows[ids] @ rows[ids].T)[np.triu_indices(len(ids), k=1)]
    claim("step_05", "moved all their rows the same way", cosines.min() > 0.9)
    return f"{cosines.mean():.2f}"


def check_experiment() -> None:
    """Checks what the page says of its last experiment."""
    girl, boy = play.encode(" girl")[0], play.encode(" boy")[0]
    exchanged, emptied = play.copy_weights(), play.copy_weights()
    exchanged["wte.weight"][[girl, boy]] = exchanged["wte.weight"][[boy, girl]]
    emptied["wte.weight"][girl] = 0
    whole, other, without = (
        play.write(PROMPT, weights, count=12)
        for weights in (play.trained(), exchanged, emptied)
    )
    changed = " girl" in whole and other == whole.replace(" girl", " boy")
    claim("step_05", "the words have changed places", changed)
    claim("step_05", "do without that word", " girl" not in without)


def lookup_figure() -> Figure:
    """Draws the ids at the left, the table in the middle, the result at the right."""
    figure, axes = style.canvas(352, width=600)
    ids, names = play.encode(TEXT), [style.token(t) for t in play.tokens(TEXT)]
    table = play.trained()["wte.weight"]
    largest = float(np.abs(table[ids, :SQUARES]).max())
    places = {i: 64 + 62 * n for n, i in enumerate(sorted(ids))}
    heads = (60, "ids  [T]"), (300, "weight  [V, C]"), (520, "result  [T, C]")
    for x, text in heads:
        style.label(axes, x, 20, text, fontweight="bold")
    for i, y in places.items():
        strip(axes, 240, y, table[i], largest)
        style.label(axes, 228, y, f"row {i}", ha="right")
        style.label(axes, 300, y + 31, "⋮", color=style.MUTED)
    colors = style.COLORS
    for n, (i, name) in enumerate(zip(ids, names, strict=True)):
        y, color = 64 + 62 * n, colors[n % len(colors)]
        style.box(axes, 8, y - 20, 104, 40, f"{name}  {i}", color=color)
        style.arrow(axes, (114, y), (162, places[i]), color=color)
        style.arrow(axes, (366, places[i]), (452, y), color=color)
        strip(axes, 460, y, table[i], largest, edge=color)
    return figure


def strip(
    axes: Axes,
    x: float,
    y: float,
    row: np.ndarray,
    largest: float,
    edge: str = style.MUTED,
) -> None:
    """Draws the first numbers of a row as squares: blue above 0, orange below."""
    shown = row[:SQUARES]
    for n, value in enumerate(shown):
        color = style.BLUE if value > 0 else style.ORANGE
        strength = round(abs(float(value)) / largest, 2)
        axes.add_patch(
            Rectangle((x + CELL * n, y - 9), CELL, 18, facecolor=(color, strength))
        )
    width = CELL * len(shown)
    axes.add_patch(Rectangle((x, y - 9), width, 18, facecolor="none", edgecolor=edge))
