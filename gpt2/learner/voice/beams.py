"""The encore on beam search: the learner's beams, as they grow."""

import numpy as np
from rich.markup import escape

from gpt2.decoding.beams import Continuations
from gpt2.learner.voice.limits import Clock, Enough
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech

BEAMS, TOKENS = 3, 12
LOOKS = (2, 6, 10)  # new tokens after which the beams are shown


def show_beams(attempt: Attempt, speech: Speech) -> None:
    """Says the beams at some moments, and then the best text with its score."""
    tokenizer, prompt = attempt.checkpoint.tokenizer, attempt.story.prompt_ids
    following = Continuations(attempt.engine(), tokenizer.end_ids)
    clock = Clock(attempt.seconds)

    def listen(ids: np.ndarray) -> np.ndarray:
        if (count := ids.shape[1] - len(prompt)) in LOOKS:
            speech.line(f"[dim]after {count} tokens:[/]")
            for row in ids[:, len(prompt) :].tolist():
                speech.line(f"  …{escape(tokenizer.decode(row))}")
        clock.check()
        return following(ids)

    speech.line(f"Your {BEAMS} beams, after “{escape(attempt.story.prompt)}”")
    try:
        found, score = attempt.module.beam_search(
            listen,
            prompt,
            num_beams=BEAMS,
            max_new_tokens=TOKENS,
            eos_token_id=tokenizer.end_of_text_id,
        )
    except Enough:
        return
    speech.line(f"The best text, with a text score of {score:.2f}:")
    speech.say(tokenizer.decode([int(token) for token in found]))
