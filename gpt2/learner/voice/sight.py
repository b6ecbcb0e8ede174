"""Step 02: what each token of the story may see with the learner's mask."""

from gpt2.learner.voice.drawings import seen
from gpt2.learner.voice.model import let_model_write
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech
from runtime.direct.operations import direct_operations

TOKENS = 8


def show_sight(attempt: Attempt, speech: Speech) -> None:
    """Draws the mask; then the model writes with it, because step 08 uses it."""
    from max.driver import CPU
    from max.dtype import DType

    ids = attempt.story.prompt_ids[:TOKENS]
    with direct_operations():
        mask = attempt.module.causal_mask(
            len(ids), 0, dtype=DType.float32, device=CPU()
        )
    labels = [attempt.checkpoint.tokenizer.token(token).strip() for token in ids]
    speech.line("With your mask, each token sees those with a ●:")
    for line in seen(mask.to_numpy(), labels):
        speech.line(line)
    let_model_write(attempt, speech)
