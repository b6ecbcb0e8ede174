"""Figures and numbers of the encore on contrastive decoding."""

from collections.abc import Callable
from functools import cache, partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from book import held_out, play
from book.figures import style
from book.figures._losses import claim
from book.figures._words import code, percent, quoted
from book.figures.encore_beam_search import OPENINGS
from gpt2.decoding.ngrams import distinct, repetition
from solutions.encore_contrastive import (
    _likeliest,
    contrastive_logits,
    contrastive_search,
    degeneration_penalty,
)
from tests.oracle import model as oracle

NEW = 60  # tokens of each text at most
LAYERS, TOP_K, ALPHA = 1, 4, 0.6  # of the amateur; of the search, as in its paper
BETAS, ALPHAS = (0.5, 2.0), (0.2, 0.6)
EXAMPLE, SHOWN = "The dog was very", 8  # a place in a text, and tokens of its figure
SQUARES = 24  # last tokens of a text that the figure of similarities has

type Write = Callable[[list[int]], list[int]]


def read(ids: np.ndarray, layers: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The logits ``[N, V]`` and the hidden states ``[N, T, C]`` of ids ``[N, T]``.

    With ``layers``, only the embedded model's first layers compute.
    """
    config, state = play.checkpoint().config, play.trained()
    sizes = layers or config.n_layer, config.n_head, config.layer_norm_epsilon
    states = oracle.hidden_states(np.asarray(ids), state, *sizes)
    return states[:, -1] @ state["wte.weight"].T, states


def scores(ids: list[int], layers: int | None = None) -> np.ndarray:
    """The logits ``[V]`` of what follows the ids."""
    return read(np.array([ids]), layers)[0][0]


def contrast(prompt: list[int], layers: int, beta: float) -> list[int]:
    """Writes with the likeliest token of the contrasted logits each time."""
    ids = list(prompt)
    while len(ids) < len(prompt) + NEW and not ended(ids, prompt):
        pair = scores(ids), scores(ids, layers)
        ids.append(int(contrastive_logits(*pair, beta=beta).argmax()))
    return ids


def ended(ids: list[int], prompt: list[int]) -> bool:
    """Whether the text after the prompt has ended."""
    return len(ids) > len(prompt) and ids[-1] in play.checkpoint().tokenizer.end_ids


def search(prompt: list[int], top_k: int, alpha: float) -> list[int]:
    """Writes with contrastive search."""
    return contrastive_search(
        read,
        prompt,
        top_k=top_k,
        penalty_alpha=alpha,
        max_new_tokens=NEW,
        eos_token_id=play.checkpoint().tokenizer.end_of_text_id,
    )


GREEDY = "greedy"
WAYS: dict[str, Write] = {
    GREEDY: partial(search, top_k=1, alpha=0.0),
    **{
        f"amateur of {n} layer{'s' * (n > 1)}, β = {b:g}": partial(
            contrast, layers=n, beta=b
        )
        for n in (1, 2)
        for b in BETAS
    },
    **{
        f"search, K = {TOP_K}, α = {a:g}": partial(search, top_k=TOP_K, alpha=a)
        for a in ALPHAS
    },
}


@cache
def written(way: str) -> list[list[int]]:
    """The ids that one way writes after each opening, without the opening."""
    prompts = [play.encode(text) for text in OPENINGS]
    return [WAYS[way](prompt)[len(prompt) :] for prompt in prompts]
