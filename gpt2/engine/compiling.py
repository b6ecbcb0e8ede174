"""Compiles models. Importing this takes a second; ``graph_file`` avoids the import."""

from collections.abc import Iterable
from typing import Any

from max.driver import Device
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import default_device, default_dtype
from max.graph import TensorType

from gpt2.engine.cached_model import CachedGPT2
from runtime.compiled_graphs import Compiled, Weights
from runtime.custom_ops import without_kernel_check
from solutions.solution_01 import GPT2Config


def compile_cached_model(
    config: GPT2Config, weights: Weights, device: Device
) -> Compiled:
    """Compiles the cached model: a key and a value ``[P, B, H, D]`` for each layer."""
    # Not "past + seq": a subgraph does not accept a sum as a size.
    mask = TensorType(DType.float32, ["batch", "seq", "total"], device=device)
    shape = ["past", "batch", config.n_head, config.n_embd // config.n_head]
    past = TensorType(DType.float32, shape, device=device)
    cache = [past, past] * config.n_layer
    asked = TensorType(DType.int64, ["asked"], device=device)
    inputs = [ids_type(device), ids_type(device), mask, asked, *cache]
    return compile_model(CachedGPT2, config, weights, inputs, device)


def compile_plain_model(
    model_class: type[Module], config: GPT2Config, weights: Weights, device: Device
) -> Compiled:
    """Compiles a model without a cache, such as step 13's model."""
    return compile_model(model_class, config, weights, [ids_type(device)], device)


def compile_model(
    model_class: type[Module],
    config: GPT2Config,
    weights: Weights,
    input_types: Iterable[Any],
    device: Device,
) -> Compiled:
    """Compiles a model for symbolic shapes, with ``weights`` by name."""
    with default_device(device), default_dtype(DType.float32):
        with F.lazy():  # otherwise each layer draws random weights
            model = model_class(config)
        with without_kernel_check():
            return model.compile(*input_types, weights=weights)


def ids_type(device: Device) -> TensorType:
    """Returns the type of token ids and of positions, ``[batch, seq]``."""
    return TensorType(DType.int64, ["batch", "seq"], device=device)
