"""Drafts for speculative decoding: what guesses tokens before the model checks them."""

from dataclasses import dataclass
from typing import Any

from gpt2.checkpoint.loading import Checkpoint
from gpt2.checkpoint.second_model import check_second, first_layers, load_second

NGRAM = "ngram"


@dataclass(frozen=True)
class Draft:
    """What proposes tokens.

    Attributes:
        name: as it was given.
        tokens: how many tokens it proposes at most.
        model: a smaller model; None proposes what the text itself repeats.
    """

    name: str
    tokens: int
    model: Checkpoint | None

    def describe(self) -> dict[str, Any]:
        """Returns the settings that repeat the guesses."""
        return {"draft": self.name, "draft_tokens": self.tokens}


def check_draft(name: str) -> None:
    """Raises ``UnknownModelError`` for a name that no draft has."""
    check_second(name, NGRAM)


def load_draft(name: str, tokens: int, checkpoint: Checkpoint, longest: int) -> Draft:
    """Loads a draft for a model.

    Args:
        name: ``ngram``, or a second model's name.
        tokens: how many tokens it proposes at most.
        checkpoint: the model.
        longest: the tokens of the longest text to come.

    Raises:
        CheckpointError: the draft cannot be used beside the model.
    """
    model = None
    if name != NGRAM:
        model = load_second(name, checkpoint, longest, "draft", first_layers)
    return Draft(name, tokens, model)
