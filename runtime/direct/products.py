"""Rules for arithmetic along axes: sums, softmax, products of matrices."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from max._core.dialects import mo
from max._interpreter_ops import gc_compile
from max.driver import Buffer
from max.experimental.tensor import Tensor

from runtime.direct.elementwise import binary
from runtime.direct.kernels import (
    FLOAT,
    kernel,
    layer_norm_kernel,
    matmul_kernel,
)
from runtime.direct.values import (
    axis_of,
    buffer_of,
    require,
)


def reduction(operation: type, *, keeps: bool = False) -> Callable[..., Tensor]:
    """Makes the rule for an operation along one axis.

    Args:
        operation: MAX's operation on float32.
        keeps: the result has the same shape; otherwise the axis gets length 1.
    """

    def rule(x: Any, axis: Any = -1) -> Tensor:
        buffer = buffer_of(x, FLOAT)
        shape = list(buffer.shape)
        axis = axis_of(axis, len(shape))
        view = buffer.view(FLOAT, gc_compile.canonical_rank3(shape, axis))
        (result,) = kernel("reduce", operation)([view])
        if not keeps:
            shape[axis] = 1
        return Tensor(storage=result.view(result.dtype, tuple(shape)))

    return rule


def extreme(alone: type, of_two: type) -> Callable[..., Tensor]:
    """Makes the rule for ``max`` or ``min``: of one tensor along an axis, or of two."""

    def rule(x: Any, y: Any = None, /, axis: Any = -1) -> Tensor:
        if y is None:
            return reduction(alone)(x, axis)
        return binary(of_two, None)(x, y)

    return rule


def softmax(operation: type) -> Callable[..., Tensor]:
    """Makes the rule for softmax or its logarithm."""
    along = reduction(operation, keeps=True)
    return lambda value, axis=-1: along(value, axis)


def layer_norm(input: Any, gamma: Any, beta: Any, epsilon: Any) -> Tensor:
    """The rule for MAX's own layer normalization."""
    buffer, scale, shift = (buffer_of(x, FLOAT) for x in (input, gamma, beta))
    shape = buffer.shape
    require(scale.shape == shift.shape == shape[-1:])
    require(type(epsilon) is float and epsilon > 0)
    view = buffer.view(FLOAT, gc_compile.canonical_rank2(shape))
    small = Buffer.from_numpy(np.array(epsilon, dtype=np.float32))
    (result,) = layer_norm_kernel()([view, scale, shift, small])
    return Tensor(storage=result.view(FLOAT, shape))


def matmul(lhs: Any, rhs: Any) -> Tensor:
    """The rule for products of matrices; leading axes are broadcast."""
    left, right = buffer_of(lhs, FLOAT), buffer_of(rhs, FLOAT)
    (*more, m, k), (*others, same, n) = left.shape, right.shape
    require(len(left.shape) > 1 and len(right.shape) > 1 and k == same)
    batch = np.broadcast_shapes(tuple(more), tuple(others))
    count = prod(batch)
    inputs = [stacked(left, batch, (count, m, k)), stacked(right, batch, (count, k, n))]
    (result,) = matmul_kernel()(inputs)
    return Tensor(storage=result.view(FLOAT, (*batch, m, n)))


def stacked(matrices: Buffer, batch: tuple, shape: tuple[int, int, int]) -> Buffer:
    """Returns matrices with one leading axis, repeated where ``batch`` wants more."""
    if prod(matrices.shape[:-2]) != shape[0]:
        array = np.from_dlpack(matrices)
        wanted = np.broadcast_to(array, (*batch, *array.shape[-2:]))
        matrices = Buffer.from_numpy(wanted.copy(order="C"))
    return matrices.view(FLOAT, shape)


RULES: dict[str, Callable[..., Any]] = {
    "max": extreme(mo.ReduceMaxOp, mo.MaxOp),
    "min": extreme(mo.ReduceMinOp, mo.MinOp),
    "sum": reduction(mo.ReduceAddOp),
    "mean": reduction(mo.ReduceMeanOp),
    "argmax": reduction(mo.ReduceArgMaxOp),
    "softmax": softmax(mo.ReduceSoftmaxOp),
    "logsoftmax": softmax(mo.ReduceLogsoftmaxOp),
    "layer_norm": layer_norm,
    "matmul": matmul,
}
