"""A second model beside the one that writes: first layers, or another checkpoint."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gpt2.checkpoint.errors import CheckpointError, UnknownModelError
from gpt2.checkpoint.loading import Checkpoint, check_name, load_checkpoint, need_gpt2

FIRST_LAYERS = re.compile(r"layers:(\d{1,4})")
BLOCK = re.compile(r"transformer\.h\.(\d+)\.(.+)")
# What a block adds to the residual stream comes out of these two layers.
LAST = ("attn.c_proj.", "mlp.c_proj.")


def check_second(name: str, *others: str) -> None:
    """Raises ``UnknownModelError`` for a name that no second model has.

    Args:
        name: ``layers:N``, a model's name or a folder.
        others: more names that can be used.
    """
    if name in others or FIRST_LAYERS.fullmatch(name):
        return
    try:
        check_name(name)
    except UnknownModelError as error:
        message = f"{error}; or write {' or '.join([*others, 'layers:N'])}"
        raise UnknownModelError(message) from error


def load_second(
    name: str,
    checkpoint: Checkpoint,
    longest: int,
    role: str,
    cut: Callable[[Checkpoint, int], Checkpoint],
) -> Checkpoint:
    """Loads a second model for a model.

    Args:
        name: ``layers:N`` for the model's own first N layers, or a model as
            ``load_checkpoint`` takes it.
        checkpoint: the model that writes.
        longest: the tokens of the longest text to come.
        role: the second model's part, for messages.
        cut: ``first_layers`` or ``silent_after``.

    Raises:
        CheckpointError: the second model has other tokens, sees too few of them, or
            cannot be loaded.
    """
    if layers := FIRST_LAYERS.fullmatch(name):
        return replace(cut(checkpoint, int(layers[1])), name=name)
    second = load_checkpoint(name)
    here, there = second.tokenizer, checkpoint.tokenizer
    if not here.has_tokens_of(there):
        raise CheckpointError(
            f"{name} cannot be the {role} of {checkpoint.name}: the vocabularies "
            f"differ ({here.size} and {there.size} tokens)"
        )
    if (sees := second.config.n_positions) < longest:
        raise CheckpointError(
            f"{name} cannot be the {role} of this text: {name} sees {sees} tokens, and "
            f"the text may have {longest}"
        )
    return second


def first_layers(checkpoint: Checkpoint, count: int) -> Checkpoint:
    """Returns a model's first layers, with its final normalization and its head.

    The model is smaller and faster, and MAX compiles a graph for it.

    Raises:
        CheckpointError: there are not so many layers, or nothing is left out.
    """
    check_count(checkpoint, count)
    weights = {
        name: array
        for name, array in checkpoint.weights.items()
        if not (found := BLOCK.match(name)) or int(found[1]) < count
    }
    config = replace(checkpoint.config, n_layer=count)
    return replace(checkpoint, config=config, weights=weights)


def silent_after(checkpoint: Checkpoint, count: int) -> Checkpoint:
    """Returns a model that computes what ``first_layers`` computes, at the full size.

    The other blocks are still there and add 0. So the compiled graph of the whole
    model serves both.

    Raises:
        CheckpointError: there are not so many layers, or nothing is left out.
    """
    check_count(checkpoint, count)

    def is_silent(name: str) -> bool:
        found = BLOCK.match(name)
        return bool(found and int(found[1]) >= count and found[2].startswith(LAST))

    weights = {
        name: np.zeros_like(array) if is_silent(name) else array
        for name, array in checkpoint.weights.items()
    }
    return replace(checkpoint, weights=weights)


def check_count(checkpoint: Checkpoint, count: int) -> None:
    """Raises ``CheckpointError`` unless the first layers are fewer than all layers."""
    need_gpt2(checkpoint, "layers:N")
    layers = checkpoint.config.n_layer
    if not 1 <= count < layers:
        raise CheckpointError(
            f"{checkpoint.name} has {layers} layers: layers:N takes the first 1 to "
            f"{layers - 1} of them, not {count}"
        )
