"""Gives parameters the names of ``GPT2LMHeadModel``, whatever wraps the model."""

from collections.abc import Mapping

import numpy as np

from gpt2.checkpoint.errors import CheckpointError

# Parts of names from torch.compile, DataParallel, FSDP and activation checkpointing.
WRAPPERS = {
    "_orig_mod",
    "module",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
}
HEAD = "lm_head.weight"
ANCHOR = "wpe.weight"  # every GPT-2 has one; what stands before it is the prefix


def full_names(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Renames tensors to ``transformer.…`` and ``lm_head.…``.

    Any prefix goes away, such as none at all, ``model.``, ``base_model.model.`` or
    ``student.transformer.``; so do the names of wrappers, anywhere.

    Raises:
        CheckpointError: the tensors belong to several models, or to an adapter.
    """
    named = {_unwrapped(name): tensor for name, tensor in tensors.items()}
    if adapters := [name for name in named if ".lora_" in name]:
        raise CheckpointError(
            f"the checkpoint has a LoRA adapter that is not merged ({adapters[0]}): "
            "merge it with peft's merge_and_unload(), then use save_pretrained"
        )
    found = [n for n in named if n == ANCHOR or n.endswith(f".{ANCHOR}")]
    if len(found) > 1:
        raise CheckpointError(
            f"the checkpoint has several models ({', '.join(sorted(found)[:3])}): save "
            "only one of them"
        )
    prefix = found[0].removesuffix(ANCHOR) if found else "transformer."
    return {_full_name(name, prefix): tensor for name, tensor in named.items()}


def _unwrapped(name: str) -> str:
    """Leaves out the parts of a name that wrappers add."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _full_name(name: str, prefix: str) -> str:
    """Replaces the model's prefix by ``transformer.``, and the head's by nothing."""
    outer, head, rest = name.rpartition(HEAD)
    if head and not rest and prefix.startswith(outer):
        return HEAD
    inside = name.startswith(prefix)
    return f"transformer.{name.removeprefix(prefix)}" if inside else name
