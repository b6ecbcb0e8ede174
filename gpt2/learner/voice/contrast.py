"""The encore on contrastive decoding: what the learner's functions prefer."""

from collections.abc import Iterator

import numpy as np
from rich.markup import escape

from gpt2.checkpoint.second_model import silent_after
from gpt2.learner.eager_engine import EagerEngine, as_tensor
from gpt2.learner.voice.drawings import bars
from gpt2.learner.voice.limits import Clock, Enough
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech
from runtime.direct.operations import direct_operations
from solutions.encore_sampling import softmax

LAYERS = 1  # of the amateur
SHOWN, END = 6, 2  # likeliest tokens; tokens at the prompt's end that are left out
SEARCH = {"top_k": 4, "penalty_alpha": 0.6, "max_new_tokens": 24}


def show_contrast(attempt: Attempt, speech: Speech) -> None:
    """Draws what becomes of the likeliest tokens, then writes with the search."""
    prompt, tokenizer = attempt.story.prompt_ids[:-END], attempt.checkpoint.tokenizer
    text = escape(tokenizer.decode(prompt))
    speech.line(f"After “{text}”, expert and amateur (its first layer), and yours:")
    for line in bars(rows(attempt, prompt)):
        speech.line(line)
    speech.line("Your contrastive search:")
    ids = attempt.story.prompt_ids
    try:
        found = attempt.module.contrastive_search(Reading(attempt), ids, **SEARCH)
    except Enough:
        return
    speech.say(attempt.story.prompt, "dim")
    speech.say(tokenizer.decode([int(token) for token in found[len(ids) :]]))


def rows(attempt: Attempt, prompt: list[int]) -> Iterator[tuple[str, float, str]]:
    """Yields the expert's likeliest tokens, with the probabilities of all three."""
    weak = silent_after(attempt.checkpoint, LAYERS).weights
    amateur = EagerEngine(attempt.config, weak, attempt.model_class)
    ids = np.array([prompt])
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
    """The learner's model as contrastive search asks for it.

    Args:
        attempt: has the model and the longest time.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._model, self._clock = attempt.model(), Clock(attempt.seconds)
        self._table = attempt.checkpoint.weights["transformer.wte.weight"]

    def __call__(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ids ``[N, T]`` to logits ``[N, V]`` and hidden states ``[N, T, C]``."""
        self._clock.check()
        with direct_operations():
            states = self._model.transformer(as_tensor(np.asarray(ids))).to_numpy()
        return states[:, -1] @ self._table.T, states
