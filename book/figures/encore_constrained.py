"""Figures and numbers of the encore on constrained decoding."""

from collections.abc import Iterator
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from book import play
from book.figures import style
from book.figures._losses import claim
from book.figures._words import percent, quoted
from gpt2.decoding.automata import MOST_STATES, make_automaton
from gpt2.learner.voice.forms import FORMS, TOKENS
from solutions.encore_constrained import (
    allowed_tokens,
    constrain,
    generate_matching,
    token_destinations,
)
from tests.oracle import model as oracle

NEW = 12  # tokens of the free continuation
WORD = " yes"
BIAS_PROMPT, BIAS_TEXTS = (
    "Once upon a time, there was a",
    ("cat", "big fish", "red hat"),
)
RADIUS = 17
STATES = {0: (40, 150), 1: (170, 125), 2: (300, 125), 3: (430, 150), 4: (235, 195)}
BYTES = [(0, 1, "y"), (1, 2, "e"), (2, 3, "s"), (0, 4, "n"), (4, 3, "o")]
# From a state to another one, and how far its arrow bends; below 0 it passes below.
TOKENS_SHOWN = [(0, 2, "ye", 0.38), (0, 3, "yes", 0.48), (0, 3, "no", -0.38)]


@cache
def allowed(pattern: str) -> tuple[np.ndarray, np.ndarray]:
    """What may follow in each state of a pattern, and where the tokens lead."""
    automaton, tokenizer = make_automaton(pattern), play.checkpoint().tokenizer
    destinations = token_destinations(automaton.table, tokenizer.token_bytes)
    may = allowed_tokens(destinations, automaton.accepting, tokenizer.end_ids)
    return may, destinations


def next_logits(ids: list[int]) -> np.ndarray:
    """The embedded model's logits ``[V]`` after ids ``[T]``."""
    return logits_after(tuple(ids))


@cache
def logits_after(ids: tuple[int, ...]) -> np.ndarray:
    return play.logits(list(ids))[-1]


def answer(prompt: str, pattern: str) -> str:
    """The embedded model's greedy answer in the form of a pattern."""
    automaton, tokenizer = make_automaton(pattern), play.checkpoint().tokenizer
    ids, matches = generate_matching(
        next_logits,
        play.encode(prompt),
        automaton.table,
        automaton.accepting,
        tokenizer.token_bytes,
        end_ids=tokenizer.end_ids,
        max_new_tokens=TOKENS,
    )
    claim("encore_constrained", "Each of them matches", matches)
    return tokenizer.decode(ids[len(play.encode(prompt)) :])


def figures() -> dict[str, Figure]:
    return {"token-walk": walk_figure()}


def walk_figure() -> Figure:
    """The automaton of yes|no, with arrows for bytes and for tokens."""
    figure, axes = style.canvas(270, width=470)
    for start, end, text in BYTES:
        straight(axes, start, end, text)
    for start, end, text, bend in TOKENS_SHOWN:
        curve(axes, start, end, text, bend)
    for state, place in STATES.items():
        node(axes, state, place, accepting=state == 3)
    return figure


def node(
    axes: Axes, state: int, place: tuple[float, float], *, accepting: bool
) -> None:
    """Draws a state; an accepting one has a second circle."""
    for radius in [RADIUS, RADIUS - 4][: 1 + accepting]:
        circle = Circle(place, radius, facecolor=style.PAPER, edgecolor=style.INK)
        axes.add_patch(circle)
    style.label(axes, *place, f"{state}")


def straight(axes: Axes, start: int, end: int, text: str) -> None:
    """Draws a byte's arrow between two states."""
    first, last = np.array(STATES[start]), np.array(STATES[end])
    step = (last - first) / np.hypot(*(last - first)) * RADIUS
    style.arrow(axes, tuple(first + step), tuple(last - step))
    x, y = (first + last) / 2
    style.label(axes, x, y - 11, text, family=style.MONO)


def curve(axes: Axes, start: int, end: int, text: str, bend: float) -> None:
    """Draws a token's arrow, which passes over states."""
    side = -np.sign(bend)
    edge = np.array([0, side * RADIUS])
    first, last = np.array(STATES[start]) + edge, np.array(STATES[end]) + edge
    style.arrow(axes, tuple(first), tuple(last), color=style.BLUE, bend=-bend)
    x, y = (first + last) / 2
    top = y - bend * np.hypot(*(last - first)) / 2 + side * 11
    style.label(axes, x, top, text, color=style.BLUE, family=style.MONO)


def numbers() -> dict[str, str | list]:
    tokenizer = play.checkpoint().tokenizer
    whole = [t for t in tokenizer.token_bytes if is_text(t)]
    prompt, yes_no = FORMS[0]
    return {
        "prompt": quoted(prompt),
        "free": quoted(free(prompt)),
        "yes_no": f"`{yes_no}`",
        "mass": f"{100 * mass(prompt, yes_no):.2g} %",
        "vocabulary": f"{len(tokenizer.token_bytes):,}",
        "partial": f"{len(tokenizer.token_bytes) - len(whole):,}",
        "single": f"{sum(len(t) == 1 for t in tokenizer.token_bytes)}",
        "word": WORD.strip(),
        "ways": f"{len(list(cuts(WORD.encode())))}",
        "sizes": sizes(),
        "answers": answers(),
        "bias_prompt": BIAS_PROMPT,
        "bias_pattern": f"`{bias_pattern()}`",
        "bias": bias(),
        "most_states": f"{MOST_STATES}",
    }


def is_text(token: bytes) -> bool:
    """Whether a token is made of whole characters."""
    try:
        return bool(token.decode()) or not token
    except UnicodeDecodeError:
        return False


def free(prompt: str) -> str:
    """What the model writes greedily without a pattern."""
    ids = play.greedy(prompt, count=NEW, to_end=True)
    return play.checkpoint().tokenizer.decode(ids[len(play.encode(prompt)) :])


def mass(prompt: str, pattern: str) -> float:
    """The probability of the tokens that a pattern allows first."""
    shares = oracle.softmax(next_logits(play.encode(prompt)))
    return float(shares[allowed(pattern)[0][0]].sum())


def answers() -> list[list[str]]:
    """A table of prompts, patterns and greedy answers."""
    rows = [["prompt", "pattern", "answer"]]
    for prompt, pattern in FORMS:
        text = answer(prompt, pattern)
        rows.append([f"`{prompt.strip()}`", f"`{pattern}`", f"`{text}`"])
    return rows


def sizes() -> list[list[str]]:
    """A table of the states of each pattern, and of the tokens that they allow."""
    rows = [["pattern", "states", "tokens allowed at first", "most in a state"]]
    for _, pattern in FORMS:
        counts = allowed(pattern)[0].sum(axis=1)
        numbers = len(counts), counts[0], counts.max()
        rows.append([f"`{pattern}`", *map(str, numbers)])
    return rows


def cuts(text: bytes) -> Iterator[list[int]]:
    """Yields every way to write a text with tokens."""
    if not text:
        yield []
        return
    for token, piece in enumerate(play.checkpoint().tokenizer.token_bytes):
        if piece and text.startswith(piece):
            for rest in cuts(text[len(piece) :]):
                yield [token, *rest]


def bias_pattern() -> str:
    return " (" + "|".join(BIAS_TEXTS) + ")"


def bias() -> list[list[str]]:
    """A table of each text's share: among all matching texts, and when constrained."""
    free_share = {text: 0.0 for text in BIAS_TEXTS}
    kept_share = dict(free_share)
    for text in BIAS_TEXTS:
        for ids in cuts(f" {text}".encode()):
            one, other = chances(ids)
            free_share[text] += one
            kept_share[text] += other
    total = sum(free_share.values())
    rows = [["text", "drawn freely, matching texts kept", "constrained"]]
    for text in BIAS_TEXTS:
        rows.append(
            [text, percent(free_share[text] / total), percent(kept_share[text])]
        )
    return rows


def chances(new_ids: list[int]) -> tuple[float, float]:
    """The probability of new tokens, freely and constrained."""
    may, destinations = allowed(bias_pattern())
    ids, state, free_chance, kept_chance = play.encode(BIAS_PROMPT), 0, 1.0, 1.0
    for token in new_ids:
        logits = next_logits(ids).astype(float)
        free_chance *= float(oracle.softmax(logits)[token])
        kept_chance *= float(oracle.softmax(constrain(logits, may[state]))[token])
        ids, state = [*ids, token], int(destinations[state, token])
    return free_chance, kept_chance
