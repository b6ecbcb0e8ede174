"""The weaker model of contrastive decoding: first layers, or another checkpoint."""

from dataclasses import replace

import numpy as np

from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint

# What each block adds to the residual stream comes out of these two layers.
LAST = ("attn.c_proj", "mlp.c_proj")


def load_amateur(name: str, expert: Checkpoint) -> Checkpoint:
    """Loads a weaker model for a checkpoint.

    Args:
        name: a number of the expert's first layers, or a model's name or folder.
        expert: the checkpoint that writes.

    Raises:
        CheckpointError: the model cannot be used, has another vocabulary, or the
            expert has not more layers than that.
    """
    if name.isdecimal():
        return first_layers(expert, int(name))
    amateur = load_checkpoint(name)
    if not expert.tokenizer.has_tokens_of(amateur.tokenizer):
        raise CheckpointError(
            f"{name} has other tokens than {expert.name}: an amateur needs the same "
            "vocabulary"
        )
    return amateur


def first_layers(checkpoint: Checkpoint, count: int) -> Checkpoint:
    """Returns a model that computes what the first ``count`` blocks compute.

    The other blocks are still there and add 0, so that the compiled graph of the whole
    model serves both.

    Raises:
        CheckpointError: the checkpoint has not more than ``count`` blocks.
    """
    layers = checkpoint.config.n_layer
    if not 1 <= count < layers:
        raise CheckpointError(
            f"{checkpoint.name} has {layers} layers: an amateur can have its first 1 "
            f"to {layers - 1}"
        )
    blocks = [f"transformer.h.{number}" for number in range(count, layers)]
    silent = {f"{block}.{layer}." for block in blocks for layer in LAST}
    weights = {
        key: np.zeros_like(array) if key.startswith(tuple(silent)) else array
        for key, array in checkpoint.weights.items()
    }
    return replace(checkpoint, name=str(count), weights=weights)
