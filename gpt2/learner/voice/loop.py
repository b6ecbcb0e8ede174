"""Step 14: the learner's own loop writes."""

from contextlib import suppress
from typing import Any

import numpy as np

from gpt2.checkpoint.tokenizer import StreamingDecoder
from gpt2.learner.eager_engine import as_tensor
from gpt2.learner.voice.limits import Clock, Enough
from gpt2.learner.voice.model import tell_loss
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech
from gpt2.learner.voice.stories import NEW_TOKENS
from runtime.direct.operations import direct_operations


class Overheard:
    """A model for the loop. It says the tokens that each call shows for the first time.

    Args:
        attempt: has the model and the story.
        speech: gets the tokens.
    """

    def __init__(self, attempt: Attempt, speech: Speech) -> None:
        self._model = attempt.model()
        self._decoder = StreamingDecoder(attempt.checkpoint.tokenizer)
        self._speech, self._prompt = speech, attempt.story.prompt
        self._said = self._given = len(attempt.story.prompt_ids)
        self._clock = Clock(attempt.seconds)
        self.ids: list[int] = []

    def __call__(self, input_ids: Any) -> Any:
        """Turns ids ``[1, T]`` into logits ``[1, T, V]``."""
        self.listen(input_ids)
        self._clock.check()
        return self._model(input_ids)

    def listen(self, input_ids: Any) -> None:
        """Says the new tokens of ids ``[1, T]``, and first the prompt."""
        self.ids = input_ids.to_numpy()[0].tolist()
        if self._said == self._given < len(self.ids):
            self._speech.say(self._prompt, "dim")
        for token in self.ids[self._said :]:
            self._speech.say(self._decoder.feed(token))
        self._said = len(self.ids)


def let_loop_write(attempt: Attempt, speech: Speech) -> None:
    """Lets the learner's loop write with the learner's model, greedily."""
    story, tokenizer = attempt.story, attempt.checkpoint.tokenizer
    model = Overheard(attempt, speech)
    with suppress(Enough), direct_operations():
        ids = attempt.module.generate_tokens(
            model,
            as_tensor(np.array([story.prompt_ids])),
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            eos_token_id=tokenizer.end_of_text_id,
        )
        model.listen(ids)
    tell_loss(attempt, model.ids[len(story.prompt_ids) :], speech)
