"""The model continues a story, and its loss says how well it knows the rest."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np

from gpt2.checkpoint.tokenizer import StreamingDecoder
from gpt2.decoding.generation import TokenEngine
from gpt2.learner.eager_engine import as_tensor
from gpt2.learner.voice.limits import Clock
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech
from gpt2.learner.voice.stories import NEW_TOKENS, Story
from runtime.direct.operations import direct_operations

VISIBLE = 0.005  # nats; a smaller difference rounds to 0.00


def let_model_write(attempt: Attempt, speech: Speech) -> None:
    """Lets the model write with the learner's part in it, and measures its loss."""
    tokens = greedy(attempt.engine(), attempt.story.prompt_ids)
    ids = say_tokens(tokens, attempt, speech)
    tell_loss(attempt, ids, speech)


def greedy(engine: TokenEngine, ids: list[int]) -> Iterator[int]:
    """Yields the likeliest tokens, one after the other."""
    logits = engine.prefill(np.array([ids]))
    while True:
        yield (token := int(logits[0].argmax()))
        logits = engine.decode(np.array([token]))


def say_tokens(
    tokens: Iterator[int],
    attempt: Attempt,
    speech: Speech,
    count: int = NEW_TOKENS,
) -> list[int]:
    """Says the prompt and tokens as they come, until the text or the time ends.

    Returns:
        The tokens. If the model raises before the first, nothing is said.
    """
    tokenizer = attempt.checkpoint.tokenizer
    decoder, clock = StreamingDecoder(tokenizer), Clock(attempt.seconds)
    ids: list[int] = []
    for token in tokens:
        if not ids:
            speech.say(attempt.story.prompt, "dim")
        ids.append(token)
        speech.say(decoder.feed(token))
        if token in tokenizer.end_ids or len(ids) == count or clock.late:
            break
    speech.say(decoder.finish())
    return ids


def tell_loss(attempt: Attempt, ids: list[int], speech: Speech) -> None:
    """Says the model's loss on the story, beside that of a finished model."""
    loss, finished = loss_of(attempt), attempt.finished
    good = abs(loss - finished.loss) < VISIBLE
    same = ", and the same words" if good and finished.agrees(ids) else ""
    speech.line(
        f"[{'green' if good else 'red'}]loss {shown(loss)}[/] on the story as it was "
        f"written; a finished model: {shown(finished.loss)}{same}"
    )
    if not good:
        there = attempt.checkpoint.tokenizer.decode(finished.ids)
        speech.line("[dim]a finished model goes on:[/]")
        speech.say(there, "dim")


def loss_of(attempt: Attempt) -> float:
    """Returns the model's loss on the whole story."""
    return story_loss(attempt.model(), attempt.story)


def story_loss(model: Any, story: Story) -> float:
    """Returns a model's loss on a whole story, which it reads once."""
    with direct_operations():
        logits = model(as_tensor(np.array([story.ids[:-1]])))  # [1, T, V]
    return story.loss(logits.to_numpy()[0])


def shown(loss: float) -> str:
    """Returns a loss with two digits, or in words."""
    return f"{loss:.2f}" if isfinite(loss) else "no number"
