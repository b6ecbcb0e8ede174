"""Figures and numbers of the chapter on text generation."""

from functools import cache

import numpy as np
from matplotlib.figure import Figure

from book import play
from book.figures import style
from book.figures._losses import claim
from book.figures._text import scientific
from book.figures._words import code, percent, quoted, rough
from gpt2.decoding.ngrams import repetition
from tests.oracle import model as oracle

PROMPT, NEW, WRITTEN = "One day, the dog", 100, 75
UNSURE = "The dog was very"
OPENINGS = [PROMPT, "One day, the cat", "Mom said", "The sun"]
BEGINNING, TIMES = "Tom went to the park.", 6
SENTENCES = [
    " The bird sat on the tree.",
    " The dog ran fast.",
    " They had a lot of fun.",
]
TEMPERATURES = (0.3, 0.7, 1.0, 1.5, 3.0)
EOS = 0
CHOSEN = [[7, 0], [5, 3], [0, 9]]  # what a model chooses for two rows, round by round


def figures() -> dict[str, Figure]:
    return {"generation-loop": loop_figure()}


def loop_figure() -> Figure:
    """Draws the four statements of the loop, with the shapes between them."""
    figure, axes = style.canvas(300, width=500)
    boxes = {
        "model(ids)": (185, 24, style.BLUE),
        "[:, −1, :]": (360, 124, style.ORANGE),
        "choose": (185, 224, style.GREEN),
        "append": (10, 124, style.PURPLE),
    }
    for text, (x, y, color) in boxes.items():
        style.box(axes, x, y, 130, 52, text, color=color, fontfamily=style.MONO)
    style.arrow(axes, (319, 50), (425, 120), bend=-0.3)
    style.arrow(axes, (425, 180), (319, 250), bend=-0.3)
    style.arrow(axes, (181, 250), (75, 180), bend=-0.3)
    style.arrow(axes, (75, 120), (181, 50), bend=-0.3)
    shapes = {
        "logits\n[B, T, V]": (442, 50),
        "the last\n[B, V]": (442, 250),
        "next ids\n[B, 1]": (58, 250),
        "ids\n[B, T + 1]": (58, 50),
    }
    for text, (x, y) in shapes.items():
        style.label(axes, x, y, text, color=style.MUTED, fontsize=style.SMALL)
    style.label(axes, 250, 140, "once per token,", color=style.MUTED)
    style.label(axes, 250, 160, "until EOS or enough", color=style.MUTED)
    return figure


def numbers() -> dict[str, str | list]:
    length = len(play.encode(PROMPT))
    vocabulary = play.checkpoint().config.vocab_size
    opening, sentence = circling(), rising()
    return {
        "opening": opening,
        "greedy": quoted(play.checkpoint().tokenizer.decode(greedy(opening))),
        "sentence": sentence.strip(),
        "repeats": repeats(sentence),
        "unsure": UNSURE,
        "temperatures": temperatures(),
        "ends": ends(),
        "ids_shape": f"`[3, {length}]`",
        "logits_shape": f"`[3, {length}, {vocabulary}]`",
        "last_shape": f"`[3, {vocabulary}]`",
        "chosen_shape": "`[3, 1]`",
        "longer_shape": f"`[3, {length + 1}]`",
        "tolerance32": scientific(choice_tolerance(np.float32)),
        "tolerance64": scientific(choice_tolerance(np.float64)),
        "new": f"{NEW}",
        "prompt_length": f"{length}",
        "without_cache": f"{sum(range(length, length + NEW)):,}",
        "with_cache": f"{length + NEW - 1:,}",
    }


def choice_tolerance(dtype: type[np.floating]) -> float:
    """How far from 1 the sum may be that ``Generator.choice`` accepts."""
    return float(np.sqrt(np.finfo(dtype).eps))


@cache
def greedy(opening: str) -> list[int]:
    """The ids of the model's greedy text, up to the end-of-text token."""
    return play.greedy(opening, count=WRITTEN - len(play.encode(opening)), to_end=True)


def circling() -> str:
    """The opening whose greedy text repeats itself most."""
    opening = max(OPENINGS, key=repeated)
    claim("step_14", "such a text may walk in circles", repeated(opening) > 0.25)
    return opening


def repeated(opening: str) -> float:
    """The share of runs of four tokens that the greedy text had before."""
    return repetition(greedy(opening)) or 0.0


def rising() -> str:
    """The sentence that gets likelier with each repetition."""

    def least(sentence: str) -> float:
        return float(np.diff(chances(sentence)).min())

    sentence = max(SENTENCES, key=least)
    rises = least(sentence) > -0.005  # the table has whole percentages
    claim("step_14", "the likelier it looks to the model", rises)
    return sentence


def repeats(sentence: str) -> list[list[str]]:
    """A table of the mean probability of a sentence's tokens, for each repetition."""
    head = ["time", *(f"{n}." for n in range(1, TIMES + 1))]
    return [head, ["each token", *map(percent, chances(sentence))]]


@cache
def chances(sentence: str) -> list[float]:
    """The mean probability of a sentence's tokens, for each repetition."""
    start, ids = play.encode(BEGINNING), play.encode(sentence)
    text = start + ids * TIMES
    shares = oracle.softmax(play.logits(text))
    surprise = -np.log(shares[np.arange(len(text) - 1), text[1:]])
    parts = np.split(surprise[len(start) - 1 :], TIMES)
    return [float(np.exp(-part.mean())) for part in parts]


def temperatures() -> list[list[str]]:
    """A table of the likeliest tokens' probabilities at several temperatures."""
    logits = play.logits(play.encode(UNSURE))[-1]
    best = np.argsort(-logits, kind="stable")[:5]
    token = play.checkpoint().tokenizer.token
    rows = [["τ", *(code(token(int(i))) for i in best), "effective choices"]]
    for temperature in TEMPERATURES:
        probabilities = oracle.softmax(logits / temperature)
        entropy = -(probabilities * np.log(probabilities)).sum()
        parts = [percent(p) for p in probabilities[best]]
        rows.append([f"{temperature}", *parts, rough(float(np.exp(entropy)))])
    return rows


def ends() -> list[list[str]]:
    """A table of the rounds in which two rows end, for the ids in ``CHOSEN``."""
    rows = [["round", "chosen", "ended before", "appended", "ended now"]]
    ended = np.zeros(2, dtype=bool)
    for number, chosen in enumerate(np.array(CHOSEN), start=1):
        appended = np.where(ended, EOS, chosen)
        now = ended | (appended == EOS)
        cells = [chosen, yes_no(ended), appended, yes_no(now)]
        rows.append([f"{number}", *(", ".join(map(str, cell)) for cell in cells)])
        ended = now
    return rows


def yes_no(marks: np.ndarray) -> np.ndarray:
    """Bools as words."""
    return np.where(marks, "yes", "no")
