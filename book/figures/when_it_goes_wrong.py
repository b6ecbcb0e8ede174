"""Numbers of the page on mistakes: the effect of each on the embedded model."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from book import held_out, play
from book.figures._losses import claim, measured_on, perplexity, rise
from book.figures._words import quoted
from book.figures.real_gpt2 import square_untransposed, unscaled_attention
from book.figures.step_02 import no_mask
from book.figures.step_04 import exact
from book.figures.step_11 import WIRINGS, rewired
from book.held_out import PerToken
from course.catalogue import load_mistakes
from course.families.table import load_families
from course.registry import load_registry
from tests.oracle import model as oracle

PROMPT, COUNT = "Once upon a time, there was a little", 14
NO_SIZES: dict[str, float] = {}


def numbers() -> dict[str, str | list]:
    found = [load_mistakes(exercise) for exercise in load_registry()]
    made = [load_families(exercise) for exercise in load_registry()]
    return {
        "known": f"{sum(map(len, found))}",
        "families": f"{sum(map(len, made))}",
        "prompt": PROMPT,
        "guessing": f"{np.log(play.checkpoint().config.vocab_size):.2f}",
        "written": written(),
    }


def written() -> list[list[str]]:
    """A table of each broken model's text, ordered by perplexity."""
    found = [broken(step, name, *change) for (step, name), change in changes().items()]
    found += [patched(*entry) for entry in patches()]
    found.sort(key=lambda model: model.loss.mean)
    better = [m for m in found if rise(m.loss).mean < 0 and not rise(m.loss).tied]
    claim("when_it_goes_wrong", "no row is better than it", not better)
    head = ["mistake", "step", f"perplexity on {measured_on()}", "what it writes"]
    right = Broken("", "none", held_out.trained(), written_by(None, NO_SIZES))
    rows = ([m.name, m.step, perplexity(m.loss), m.text] for m in (right, *found))
    return [head, *rows]


class Broken(NamedTuple):
    """A model with one mistake: its step and name, its loss and its greedy text."""

    step: str
    name: str
    loss: PerToken
    text: str


def broken(
    step: str, name: str, weights: play.Weights | None, sizes: dict[str, float]
) -> Broken:
    """The model with other weights or sizes."""
    text = written_by(weights, sizes)
    return Broken(step, name, held_out.loss(weights, **sizes), text)


def written_by(weights: play.Weights | None, sizes: dict[str, float]) -> str:
    """What a model writes after the prompt."""
    text = play.write(PROMPT, weights, COUNT, **sizes).removeprefix(PROMPT)
    return f"… {quoted(text)}"


def patched(step: str, name: str, part: str, function: Callable) -> Broken:
    """The model in which ``function`` replaces the oracle's ``part``."""
    with play.instead(part, function):
        return broken(step, name, None, NO_SIZES)


def changes() -> dict[tuple[str, str], tuple[play.Weights | None, dict[str, float]]]:
    """Mistakes in weights or sizes, by step and name."""
    return {
        ("09", "one head instead of several"): (None, {"n_head": 1}),
        ("09", "twice as many heads"): (
            None,
            {"n_head": 2 * play.checkpoint().config.n_head},
        ),
        ("12", "no position embeddings"): (with_places(np.zeros_like), NO_SIZES),
        ("12", "positions from 1"): (with_places(one_later), NO_SIZES),
        ("12", "first block every time"): (with_blocks(lambda i: 0), NO_SIZES),
        ("12", "blocks backwards"): (with_blocks(backwards), NO_SIZES),
        ("11", "the two normalizations swapped"): (norms_swapped(), NO_SIZES),
        ("", "square matrices not transposed"): (square_untransposed(), NO_SIZES),
    }


def patches() -> Iterator[tuple[str, str, str, Callable]]:
    """Yields mistakes in functions: step, name, replaced function, wrong function."""
    yield "04", "exact GELU", "gelu", exact
    yield "08", "scores not divided by √D", "attention", unscaled_attention
    yield "08", "no mask", "causal_mask", no_mask
    yield "07", "key and value exchanged", "qkv", key_value_exchanged
    yield "12", "no last normalization", "hidden_states", unnormalized
    for name in ("MLP first, then attention", "nothing is added to x"):
        yield "11", name, "block", rewired(WIRINGS[name])


def with_places(change: Callable[[np.ndarray], np.ndarray]) -> play.Weights:
    weights = play.copy_weights()
    weights["wpe.weight"] = change(weights["wpe.weight"])
    return weights


def one_later(table: np.ndarray) -> np.ndarray:
    return np.concatenate([table[1:], table[-1:]])


def with_blocks(source: Callable[[int], int]) -> play.Weights:
    """The weights with each block replaced by block ``source(number)``."""
    weights, own = play.copy_weights(), play.trained()
    for number in range(play.checkpoint().config.n_layer):
        for name in own:
            if name.startswith(f"h.{number}."):
                rest = name.removeprefix(f"h.{number}.")
                weights[name] = own[f"h.{source(number)}.{rest}"]
    return weights


def backwards(number: int) -> int:
    return play.checkpoint().config.n_layer - 1 - number


def norms_swapped() -> play.Weights:
    own = play.trained()
    other = {"ln_1": "ln_2", "ln_2": "ln_1"}
    return {
        name: own[".".join(other.get(part, part) for part in name.split("."))]
        for name in own
    }


_qkv = oracle.qkv


def key_value_exchanged(*args) -> list[np.ndarray]:
    query, key, value = _qkv(*args)
    return [query, value, key]


def unnormalized(ids, state, n_layer, n_head, eps=1e-5) -> np.ndarray:
    """The oracle's ``hidden_states`` without the final normalization."""
    x = state["wte.weight"][ids] + state["wpe.weight"][: ids.shape[-1]]
    for layer in range(n_layer):
        x = oracle.block(x, state, n_head, eps, f"h.{layer}.")
    return x
