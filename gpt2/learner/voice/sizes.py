"""Step 01: how large the model is that the learner's configuration describes."""

from math import prod
from typing import Any

from gpt2.checkpoint.weights import parameter_shapes
from gpt2.learner.voice.drawings import bars
from gpt2.learner.voice.model import let_model_write
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech

# A word in a parameter's name, and the part of the model that it belongs to.
PARTS = {
    "wte": "token embeddings",
    "wpe": "position embeddings",
    ".attn.": "attention",
    ".mlp.": "feed-forward",
    "ln_": "layer normalization",
}


def show_sizes(attempt: Attempt, speech: Speech) -> None:
    """Draws where the parameters are; then the model writes with this class."""
    counts = count(attempt.module.GPT2Config())
    speech.line("Your sizes describe a model with these numbers to learn:")
    for line in bars([(part, n, f"{n:,}") for part, n in counts.items()]):
        speech.line(line)
    speech.line(f"  {sum(counts.values()):,} in all.")
    let_model_write(attempt, speech)


def count(config: Any) -> dict[str, int]:
    """Returns how many parameters each part of a model has."""
    counts = dict.fromkeys(PARTS.values(), 0)
    for name, shape in parameter_shapes(config).items():
        part = next(part for word, part in PARTS.items() if word in name)
        counts[part] += prod(shape)
    return counts
