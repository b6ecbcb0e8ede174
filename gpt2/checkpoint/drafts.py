"""Drafts for speculative decoding: what guesses tokens before the model checks them."""

import re
from dataclasses import dataclass, replace
from typing import Any

from gpt2.checkpoint.errors import CheckpointError, UnknownModelError
from gpt2.checkpoint.loading import Checkpoint, check_name, load_checkpoint

NGRAM = "ngram"
FIRST_LAYERS = re.compile(r"layers:(\d{1,4})")
OF_A_LAYER = re.compile(r"transformer\.h\.(\d+)\.")


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
    if name == NGRAM or FIRST_LAYERS.fullmatch(name):
        return
    try:
        check_name(name)
    except UnknownModelError as error:
        message = f"{error}; a draft may also be {NGRAM}, or layers:N"
        raise UnknownModelError(message) from error


def load_draft(name: str, tokens: int, checkpoint: Checkpoint, longest: int) -> Draft:
    """Loads a draft for a model.

    Args:
        name: ``ngram``, ``layers:N`` for the model's own first N layers, or a model as
            ``load_checkpoint`` takes it.
        tokens: how many tokens it proposes at most.
        checkpoint: the model.
        longest: the tokens of the longest text to come.

    Raises:
        CheckpointError: the draft has other tokens than the model, sees too few of
            them, or cannot be loaded.
    """
    if name == NGRAM:
        return Draft(name, tokens, None)
    if layers := FIRST_LAYERS.fullmatch(name):
        return Draft(name, tokens, first_layers(checkpoint, int(layers[1])))
    model = load_checkpoint(name)
    if not model.tokenizer.has_tokens_of(checkpoint.tokenizer):
        raise CheckpointError(
            f"{name} cannot draft for {checkpoint.name}: a draft needs the same "
            f"vocabulary ({model.tokenizer.size} tokens are not the same as "
            f"{checkpoint.tokenizer.size})"
        )
    if model.config.n_positions < longest:
        raise CheckpointError(
            f"{name} cannot draft this text: it sees {model.config.n_positions} "
            f"tokens, and the text may have {longest}"
        )
    return Draft(name, tokens, model)


def first_layers(checkpoint: Checkpoint, count: int) -> Checkpoint:
    """Returns a model's first layers, with its final normalization and its head.

    Raises:
        CheckpointError: there are not so many layers, or nothing is left out.

    Source: Zhang et al. 2024, "Draft & Verify", which leaves out other layers.
    """
    most = checkpoint.config.n_layer - 1
    if not 1 <= count <= most:
        raise CheckpointError(
            f"layers:{count} is no draft for {checkpoint.name}, which has "
            f"{most + 1} layers: a draft has at least 1 of them, and not all"
        )
    weights = {
        name: array
        for name, array in checkpoint.weights.items()
        if not (layer := OF_A_LAYER.match(name)) or int(layer[1]) < count
    }
    config = replace(checkpoint.config, n_layer=count)
    return replace(checkpoint, config=config, weights=weights)
