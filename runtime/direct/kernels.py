"""MAX's kernels for float32, as the interpreter has them."""

from collections.abc import Callable
from functools import cache

from max._interpreter_ops import (
    cast_gc,
    elementwise_binary_gc,
    layer_norm_gc,
    matmul_gc,
    reduce_axis_gc,
    unary_elementwise_gc,
)
from max.driver import CPU, Buffer
from max.dtype import DType

FLOAT, INT, BOOL = DType.float32, DType.int64, DType.bool

FAMILIES = {
    "binary": elementwise_binary_gc.binary_model,
    "unary": unary_elementwise_gc.unary_model,
    "reduce": reduce_axis_gc.reduce_model,
}


@cache
def kernel(family: str, operation: type) -> Callable[[list[Buffer]], list[Buffer]]:
    """Returns a kernel for float32, loaded or compiled at its first use."""
    return FAMILIES[family](operation, CPU(), FLOAT)._execute_device_tensors


@cache
def matmul_kernel() -> Callable[[list[Buffer]], list[Buffer]]:
    """Returns the kernel that multiplies matrices."""
    return matmul_gc.matmul_model(CPU(), FLOAT)._execute_device_tensors


@cache
def layer_norm_kernel() -> Callable[[list[Buffer]], list[Buffer]]:
    """Returns the kernel of layer normalization."""
    return layer_norm_gc.layer_norm_model(CPU(), FLOAT)._execute_device_tensors


@cache
def cast_kernel(source: DType, target: DType) -> Callable[[list[Buffer]], list[Buffer]]:
    """Returns the kernel that casts one type to another."""
    return cast_gc.cast_model(CPU(), source, target)._execute_device_tensors
