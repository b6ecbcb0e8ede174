"""Compiles models. Importing this takes a second; ``graph_file`` avoids the import."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from max.driver import CPU, Device
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.nn import Module
from max.experimental.tensor import default_device, default_dtype
from max.graph import TensorType

from gpt2.engine.cached_model import CachedGPT2
from gpt2.engine.kernel_operations import KERNELS, KernelOperations
from gpt2.engine.max_operations import MaxOperations
from gpt2.engine.operations import Operations
from gpt2.engine.precision import Precision
from runtime.compiled_graphs import Compiled, Weights
from runtime.custom_ops import without_kernel_check
from solutions.solution_01 import GPT2Config


def compile_with_kernels(
    config: GPT2Config, weights: Weights, precision: Precision
) -> Compiled:
    """Compiles the cached model with the course's kernels, for the CPU."""
    operations, device = KernelOperations(precision), CPU()
    return compile_cached_model(operations, config, weights, device, [KERNELS])


def compile_with_max(config: GPT2Config, weights: Weights, device: Device) -> Compiled:
    """Compiles the cached model with MAX's operations."""
    operations = MaxOperations(config, device)
    return compile_cached_model(operations, config, weights, device)


def compile_cached_model(
    operations: Operations,
    config: GPT2Config,
    weights: Weights,
    device: Device,
    kernels: Sequence[Path] = (),
) -> Compiled:
    """Compiles the cached model; ``kernels`` are folders with Mojo code."""
    asked = TensorType(DType.int64, ["asked"], device=device)
    inputs = [ids_type(device), ids_type(device), operations.seen_type(), asked]
    inputs += list(operations.cache_types(config)) * config.n_layer

    def build(config: GPT2Config) -> CachedGPT2:
        return CachedGPT2(config, operations)

    return compile_model(build, config, weights, inputs, device, kernels)


def compile_plain_model(
    model_class: type[Module], config: GPT2Config, weights: Weights, device: Device
) -> Compiled:
    """Compiles a model without a cache, such as step 13's model."""
    return compile_model(model_class, config, weights, [ids_type(device)], device)


def compile_model(
    model_class: Callable[[GPT2Config], Module],
    config: GPT2Config,
    weights: Weights,
    input_types: Iterable[Any],
    device: Device,
    kernels: Sequence[Path] = (),
) -> Compiled:
    """Compiles a model for symbolic shapes, with ``weights`` by name."""
    with default_device(device), default_dtype(DType.float32):
        with F.lazy():  # otherwise each layer draws random weights
            model = model_class(config)
        with without_kernel_check():
            return model.compile(
                *input_types, weights=weights, custom_extensions=kernels
            )


def ids_type(device: Device) -> TensorType:
    """Returns the type of token ids and of positions, ``[batch, seq]``."""
    return TensorType(DType.int64, ["batch", "seq"], device=device)
