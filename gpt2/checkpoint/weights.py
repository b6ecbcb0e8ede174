"""Turns a checkpoint's tensors into the parameters that the models load."""

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.llama import is_llama, llama_shapes
from gpt2.checkpoint.parameter_names import GPT2, HEAD, LLAMA, full_names
from solutions.solution_01 import GPT2Config

EMBEDDINGS = {GPT2: "transformer.wte.weight", LLAMA: "model.embed_tokens.weight"}
# Hugging Face's Conv1D stores [in, out], as OpenAI did; MAX's Linear needs [out, in].
TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def parameter_shapes(config: Any) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every parameter, by name, as checkpoints store it."""
    return llama_shapes(config) if is_llama(config) else gpt2_shapes(config)


def gpt2_shapes(config: GPT2Config) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every parameter of a GPT-2, by name."""
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
    """Turns a checkpoint's tensors into the parameters of the course's model.

    Args:
        tensors: by name, as ``full_names`` takes them; not changed.
        config: the sizes that the shapes must match.

    Returns:
        New, contiguous float32 arrays; linear weights are ``[out, in]``.

    Raises:
        CheckpointError: tensors are missing, unknown, of another shape or not finite,
            or the head differs from the token embedding.
    """
    kind, shapes = LLAMA if is_llama(config) else GPT2, parameter_shapes(config)
    named, embedding = full_names(tensors, *kind), EMBEDDINGS[kind]
    head = None if HEAD in shapes else named.pop(HEAD, None)
    if head is not None:  # some files keep only one of two equal tensors
        named.setdefault(embedding, head)
    _check(named, shapes)
    if head is not None and not np.array_equal(head, named[embedding]):
        short = embedding.removeprefix(kind[0])
        raise CheckpointError(
            f"the head (lm_head.weight) differs from the token embedding ({short}): "
            f"{_why_tied(config)}"
        )
    return {
        name: _finite(
            name,
            np.array(x.T if name.endswith(TRANSPOSED) else x, np.float32, order="C"),
        )
        for name, x in named.items()
    }


def _why_tied(config: GPT2Config) -> str:
    """Returns why the head must be the token embedding."""
    if is_llama(config):
        return "config.json says tie_word_embeddings, so the two files do not fit"
    return "a GPT-2 of this course uses one for both, so this model cannot be used"


def without_rows(
    weights: dict[str, np.ndarray], config: GPT2Config
) -> dict[str, np.ndarray]:
    """Returns the parameters without the rows of tokens past ``vocab_size``."""
    tables = {*EMBEDDINGS.values(), HEAD} & weights.keys()
    cut = {name: weights[name][: config.vocab_size].copy() for name in tables}
    return weights | cut


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
