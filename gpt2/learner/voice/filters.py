"""The encore on sampling: what the learner's filters keep of one distribution."""

from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
from rich.markup import escape

from gpt2.learner.voice.drawings import bars
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech
from solutions.encore_sampling import softmax

Filter = Callable[[np.ndarray], np.ndarray]

SHOWN, DRAWN = 12, 8
K, P, MIN_P = 5, 0.7, 0.1
END = 2  # tokens: a name and a point, so that many names may follow


def show_filters(attempt: Attempt, speech: Speech) -> None:
    """Draws the likeliest next tokens, kept and dropped, and draws some of them."""
    prompt = attempt.story.prompt_ids[:-END]
    logits = score(attempt, prompt)
    filters = filters_of(attempt.module)
    kept = {title: keep(logits.copy()) > -np.inf for title, keep in filters.items()}
    text = escape(attempt.checkpoint.tokenizer.decode(prompt))
    speech.line(f"After “{text}”, your filters keep:")
    for line in bars(rows(attempt, logits, kept)):
        speech.line(line)
    counts = ", ".join(f"{title} keeps {mask.sum()}" for title, mask in kept.items())
    speech.line(f"  Of {len(logits):,} tokens, {counts}.")
    top_p = filters[f"top-p {P}"](logits.copy())
    speech.line(f"  Drawn from what top-p keeps:{draws(attempt, top_p)}")


def score(attempt: Attempt, ids: list[int]) -> np.ndarray:
    """Returns the logits ``[V]`` of what follows the ids."""
    return attempt.engine().prefill(np.array([ids]))[0].astype(float)


def filters_of(module: ModuleType) -> dict[str, Filter]:
    """Returns the encore's filters by name, with a setting each."""
    return {
        f"top-k {K}": lambda logits: module.top_k_filter(logits, K),
        f"top-p {P}": lambda logits: module.top_p_filter(logits, P),
        f"min-p {MIN_P}": lambda logits: module.min_p_filter(logits, MIN_P),
    }


def rows(
    attempt: Attempt, logits: np.ndarray, kept: dict[str, np.ndarray]
) -> Iterator[tuple[str, float, str]]:
    """Yields the likeliest tokens with their chance, and with what keeps them."""
    chances = softmax(logits)
    for token in np.argsort(-logits, kind="stable")[:SHOWN].tolist():
        keepers = ", ".join(title for title, mask in kept.items() if mask[token])
        note = keepers or "[dim]dropped by all[/]"
        name = attempt.checkpoint.tokenizer.visible(token)
        yield name, float(chances[token]), note


def draws(attempt: Attempt, logits: np.ndarray) -> str:
    """Draws tokens with the learner's ``sample``; returns their texts."""
    rng, tokenizer = np.random.default_rng(0), attempt.checkpoint.tokenizer
    drawn = [int(attempt.module.sample(logits, rng)) for _ in range(DRAWN)]
    return escape("".join(f" {tokenizer.visible(token)}" for token in drawn))
