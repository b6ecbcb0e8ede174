"""The encore on contrastive decoding: what the learner's functions prefer."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from rich.markup import escape

from gpt2.checkpoint.second_model import silent_after
from gpt2.checkpoint.tokenizer import StreamingDecoder
from gpt2.learner.eager_engine import EagerEngine, as_tensor
from gpt2.learner.voice.drawings import bars
from gpt2.learner.voice.limits import Clock, Enough
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech
from runtime.direct.operations import direct_operations
from solutions.encore_sampling import softmax

LAYERS = 1  # of the amateur
SHOWN = 6  # likeliest tokens
SEARCH = {"top_k": 4, "penalty_alpha": 0.6, "max_new_tokens": 32}


def show_contrast(attempt: Attempt, speech: Speech) -> None:
    """Draws what becomes of the likeliest tokens, then writes with the search."""
    ids = attempt.story.prompt_ids
    text = escape(attempt.story.prompt)
    speech.line(f"After “{text}”, the expert and its first layer, and your contrast:")
    for line in bars(rows(attempt, ids)):
        speech.line(line)
    speech.line("Your contrastive search:")
    speech.say(attempt.story.prompt, "dim")
    reading = Reading(attempt, speech)
    with suppress(Enough):
        reading.say(attempt.module.contrastive_search(reading, ids, **SEARCH))


def rows(attempt: Attempt, prompt_ids: list[int]) -> Iterator[tuple[str, float, str]]:
    """Yields the expert's likeliest tokens, with the probabilities of all three."""
    weak = silent_after(attempt.checkpoint, LAYERS).weights
    amateur = EagerEngine(attempt.config, weak, attempt.model_class)
    ids = np.array([prompt_ids])
    pair = [
        engine.prefill(ids)[0].astype(float) for engine in (attempt.engine(), amateur)
    ]
    contrasted = softmax(attempt.module.contrastive_logits(*pair))
    expert, weaker = map(softmax, pair)
    for token in np.argsort(-expert, kind="stable")[:SHOWN].tolist():
        name = attempt.checkpoint.tokenizer.visible(token)
        after = f"{contrasted[token]:.0%}" if contrasted[token] else "[dim]removed[/]"
        shares = f"{expert[token]:.0%}, amateur {weaker[token]:.0%}"
        yield name, float(expert[token]), f"{shares} → {after}"


class Reading:
    """The learner's model as contrastive search asks for it. It says the new text.

    Args:
        attempt: has the model and the longest time.
        speech: gets the tokens.
    """

    def __init__(self, attempt: Attempt, speech: Speech) -> None:
        self._model, self._clock = attempt.model(), Clock(attempt.seconds)
        self._table = attempt.checkpoint.weights["transformer.wte.weight"]
        self._decoder = StreamingDecoder(attempt.checkpoint.tokenizer)
        self._speech, self._said = speech, len(attempt.story.prompt_ids)

    def __call__(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ids ``[N, T]`` to logits ``[N, V]`` and hidden states ``[N, T, C]``."""
        self.say(np.asarray(ids)[0, :-1])  # the last are candidates
        self._clock.check()
        with direct_operations():
            states = self._model.transformer(as_tensor(np.asarray(ids))).to_numpy()
        return states[:, -1] @ self._table.T, states

    def say(self, ids: Sequence[int] | np.ndarray) -> None:
        """Says the tokens that are new in the text."""
        for token in ids[self._said :]:
            self._speech.say(self._decoder.feed(int(token)))
        self._said = max(self._said, len(ids))
