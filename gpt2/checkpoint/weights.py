"""Turns a checkpoint's tensors into the parameters that the models load."""

from collections.abc import Mapping
from dataclasses import replace
from math import prod

import numpy as np

from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.parameter_names import HEAD, full_names
from solutions.solution_01 import GPT2Config

EMBEDDING = "transformer.wte.weight"
# Hugging Face's Conv1D stores [in, out], as OpenAI did; MAX's Linear needs [out, in].
TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def parameter_shapes(config: GPT2Config) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every parameter, by name, as checkpoints store it."""
    channels, inner = config.n_embd, config.n_inner
    shapes = {
        "transformer.wte.weight": (config.vocab_size, channels),
        "transformer.wpe.weight": (config.n_positions, channels),
        **_layer("transformer.ln_f", channels),
    }
    for number in range(config.n_layer):
        block = f"transformer.h.{number}"
        shapes |= _layer(f"{block}.ln_1", channels)
        shapes |= _layer(f"{block}.attn.c_attn", channels, 3 * channels)
        shapes |= _layer(f"{block}.attn.c_proj", channels, channels)
        shapes |= _layer(f"{block}.ln_2", channels)
        shapes |= _layer(f"{block}.mlp.c_fc", channels, inner)
        shapes |= _layer(f"{block}.mlp.c_proj", inner, channels)
    return shapes


def _layer(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of a layer's weight and bias."""
    return {f"{name}.weight": shape, f"{name}.bias": shape[-1:]}


def count_parameters(config: GPT2Config) -> int:
    """Returns how many numbers a model has, without a list of its tensors."""
    one, two = (
        sum(map(prod, parameter_shapes(replace(config, n_layer=number)).values()))
        for number in (1, 2)
    )
    return one + (config.n_layer - 1) * (two - one)


def convert_weights(
    tensors: Mapping[str, np.ndarray], config: GPT2Config
) -> dict[str, np.ndarray]:
    """Turns a checkpoint's tensors into the parameters of ``MaxGPT2LMHeadModel``.

    Args:
        tensors: by name, as ``full_names`` takes them; not changed.
        config: the sizes that the shapes must match.

    Returns:
        New, contiguous float32 arrays; linear weights are ``[out, in]``.

    Raises:
        CheckpointError: tensors are missing, unknown, of another shape or not finite,
            or the head differs from the token embedding.
    """
    named = full_names(tensors)
    head = named.pop(HEAD, None)
    if head is not None:  # some files keep only one of two equal tensors
        named.setdefault(EMBEDDING, head)
    _check(named, parameter_shapes(config))
    if head is not None and not np.array_equal(head, named[EMBEDDING]):
        raise CheckpointError(
            "the head (lm_head.weight) differs from the token embedding (wte.weight): "
            "a GPT-2 of this course uses one for both, so this model cannot be used"
        )
    return {
        name: _finite(
            name,
            np.array(x.T if name.endswith(TRANSPOSED) else x, np.float32, order="C"),
        )
        for name, x in named.items()
    }


def _finite(name: str, array: np.ndarray) -> np.ndarray:
    """Returns the array; raises ``CheckpointError`` if it has NaN or infinity."""
    if not np.isfinite([array.min(), array.max()]).all():
        raise CheckpointError(
            f"{name} has numbers that are NaN or infinite, so every text would be "
            "noise: the training failed, or the file is damaged"
        )
    return array


def _check(
    tensors: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Raises ``CheckpointError`` unless all names and shapes are as expected."""
    for problem, names in {
        "lacks these tensors, which config.json asks for": shapes.keys() - tensors,
        "has these tensors, which config.json has no use for": tensors.keys() - shapes,
    }.items():
        if names:
            shown = ", ".join(sorted(names)[:3]) + (", …" if len(names) > 3 else "")
            raise CheckpointError(
                f"the checkpoint {problem}: {shown} ({len(names)} in all); the two "
                "have to come from the same model"
            )
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise CheckpointError(_why_other_shape(name, tensors[name].shape, shape))


def _why_other_shape(name: str, found: tuple[int, ...], asked: tuple[int, ...]) -> str:
    """Returns one sentence; weights in the order of a Linear layer are named."""
    reason = "both have to come from the same model"
    if 0 in found:
        reason = (
            "it is empty, as DeepSpeed's ZeRO stage 3 leaves it: gather the weights "
            "with zero_to_fp32.py"
        )
    elif name.endswith(TRANSPOSED) and found == asked[::-1]:
        reason = (
            "it is stored [out, in], as nanoGPT, minGPT and llm.c have it: transpose "
            "c_attn, c_fc and both c_proj in every block, also the square ones"
        )
    return (
        f"{name} has shape {list(found)} where config.json asks for {list(asked)}; "
        f"{reason}"
    )
