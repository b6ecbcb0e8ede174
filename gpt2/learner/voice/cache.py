"""The encore on the KV cache: the learner's model with it and without it."""

import time
from collections.abc import Callable
from functools import partial
from itertools import islice

from gpt2.decoding.generation import TokenEngine
from gpt2.learner.eager_engine import CachedEagerEngine
from gpt2.learner.voice.model import greedy
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech

READ = 160  # tokens that the model has read: the longer, the more a cache saves
TOKENS = 10
SHOWN = 20  # of the tokens that were read


def show_cache(attempt: Attempt, speech: Speech) -> None:
    """Says what the model writes with the cache, and tokens per second of both."""
    weights, read = attempt.checkpoint.weights, attempt.story.ids[1 : READ + 1]
    cached = CachedEagerEngine(attempt.config, weights, attempt.module)
    speech.say(f"… {attempt.checkpoint.tokenizer.decode(read[-SHOWN:])}", "dim")
    new, fast = measure(cached, read, partial(say, attempt, speech))
    same, slow = measure(attempt.engine(), read, lambda token: None)
    speech.line(
        f"After {len(read)} tokens: [bold]{fast:.1f} tokens/s with your cache[/], "
        f"{slow:.1f} without it."
    )
    if new != same:
        speech.line("[red]Without the cache the model writes other tokens.[/]")


def say(attempt: Attempt, speech: Speech, token: int) -> None:
    """Says one token."""
    speech.say(attempt.checkpoint.tokenizer.decode([token]))


def measure(
    engine: TokenEngine, read: list[int], heard: Callable[[int], None]
) -> tuple[list[int], float]:
    """Writes tokens; returns them, and how many came in a second after the first."""
    tokens, started = [], 0.0
    for token in islice(greedy(engine, read), TOKENS + 1):
        started = started or time.perf_counter()
        tokens.append(token)
        heard(token)
    return tokens, TOKENS / (time.perf_counter() - started)
