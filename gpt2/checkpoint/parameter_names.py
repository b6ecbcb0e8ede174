"""Gives parameters the names of Hugging Face's classes, whatever wraps the model."""

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
GPT2 = "transformer.", "wpe.weight"  # its prefix, and what every such model has
LLAMA = "model.", "embed_tokens.weight"


def full_names(
    tensors: Mapping[str, np.ndarray], usual: str, anchor: str
) -> dict[str, np.ndarray]:
    """Renames tensors to ``transformer.…`` or ``model.…``, and to ``lm_head.…``.

    Any prefix goes away, such as none at all, ``model.``, ``base_model.model.`` or
    ``student.transformer.``; so do the names of wrappers, anywhere.

    Args:
        tensors: by name; not changed.
        usual: the prefix of the new names.
        anchor: every model has this tensor; what stands before it is the prefix.

    Raises:
        CheckpointError: the tensors belong to several models, or to an adapter.
    """
    named = {_unwrapped(name): tensor for name, tensor in tensors.items()}
    if adapters := [name for name in named if ".lora_" in name]:
        raise CheckpointError(
            f"the checkpoint has a LoRA adapter that is not merged ({adapters[0]}): "
            "merge it with peft's merge_and_unload(), then use save_pretrained"
        )
    found = [n for n in named if n == anchor or n.endswith(f".{anchor}")]
    if len(found) > 1:
        raise CheckpointError(
            f"the checkpoint has several models ({', '.join(sorted(found)[:3])}): save "
            "only one of them"
        )
    prefix = found[0].removesuffix(anchor) if found else usual
    return {_full_name(name, prefix, usual): tensor for name, tensor in named.items()}


def _unwrapped(name: str) -> str:
    """Leaves out the parts of a name that wrappers add."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _full_name(name: str, prefix: str, usual: str) -> str:
    """Replaces the model's prefix by the usual one, and the head's by nothing."""
    outer, head, rest = name.rpartition(HEAD)
    if head and not rest and prefix.startswith(outer):
        return HEAD
    inside = name.startswith(prefix)
    return f"{usual}{name.removeprefix(prefix)}" if inside else name
