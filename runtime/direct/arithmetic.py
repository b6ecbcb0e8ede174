"""Rules for arithmetic: they call the kernels that MAX's interpreter would call."""

from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any

import numpy as np
from max._core.dialects import mo
from max._interpreter_ops import (
    cast_gc,
    elementwise_binary_gc,
    gc_compile,
    layer_norm_gc,
    matmul_gc,
    reduce_axis_gc,
    unary_elementwise_gc,
)
from max.driver import CPU, Buffer
from max.dtype import DType
from max.experimental.tensor import Tensor

from runtime.direct.values import (
    MOST_AXES,
    array_of,
    axis_of,
    buffer_of,
    require,
    tensor,
)

FLOAT, INT, BOOL = DType.float32, DType.int64, DType.bool
LARGEST = float(np.finfo(np.float32).max)
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


def binary(operation: type, exact: Callable[..., np.ndarray] | None) -> Callable:
    """Makes the rule for an operation on two tensors, or a tensor and a number.

    Args:
        operation: MAX's operation on float32.
        exact: computes the same on int64, where NumPy and MAX cannot differ.
    """

    def rule(lhs: Any, rhs: Any) -> Tensor:
        dtype = (lhs if type(lhs) is Tensor else rhs).dtype
        if dtype == INT:
            require(exact is not None)
            assert exact is not None
            return tensor(exact(operand(lhs, INT), operand(rhs, INT)))
        require(dtype == FLOAT)
        return on_floats(operation, operand(lhs, FLOAT), operand(rhs, FLOAT))

    return rule


def on_floats(operation: type, lhs: np.ndarray, rhs: np.ndarray) -> Tensor:
    """Calls the kernel of an operation on two arrays, broadcast to one shape."""
    shape = lhs.shape
    if rhs.shape != shape:
        shape = np.broadcast_shapes(shape, rhs.shape)
        require(len(shape) <= MOST_AXES)
    inputs = [repeated(array, shape) for array in (lhs, rhs)]
    (result,) = kernel("binary", operation)(inputs)
    return Tensor(storage=result.view(result.dtype, shape))


def repeated(array: np.ndarray, shape: tuple[int, ...]) -> Buffer:
    """Returns an array's values, broadcast to a shape, in a row."""
    if array.shape != shape:
        larger = np.empty(shape, dtype=array.dtype)
        larger[...] = array
        array = larger
    return Buffer.from_numpy(array.reshape(-1))


def operand(value: Any, dtype: DType) -> np.ndarray:
    """Returns a tensor's values, or a Python number in the tensor's type."""
    if type(value) is Tensor:
        return array_of(value, dtype)
    require(isinstance(value, int | float) and not isinstance(value, bool))
    if dtype == INT:
        require(type(value) is int and abs(value) < 2**62)
        return np.array(value)
    require(not abs(value) > LARGEST or abs(value) == np.inf)
    number = np.array(value, dtype=np.float32)
    require(not isinstance(value, int) or int(number) == value)
    return number


def unary(operation: type) -> Callable[[Any], Tensor]:
    """Makes the rule for an operation on each number of a tensor."""

    def rule(x: Any) -> Tensor:
        buffer = buffer_of(x, FLOAT)
        shape = buffer.shape
        (result,) = kernel("unary", operation)([buffer.view(FLOAT, (prod(shape),))])
        return Tensor(storage=result.view(FLOAT, shape))

    return rule


def gelu(x: Any, approximate: str = "none") -> Tensor:
    """The rule for both of GELU's approximations, and for GELU itself."""
    operations = {"none": mo.GeluOp, "tanh": mo.GeluTanhOp, "quick": mo.GeluQuickOp}
    require(approximate in operations)
    return unary(operations[approximate])(x)


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


def cast(x: Any, dtype: DType) -> Tensor:
    """The rule for casts between numbers."""
    buffer = buffer_of(x)
    shape, known = buffer.shape, {(INT, FLOAT), (FLOAT, INT), (BOOL, FLOAT)}
    require((buffer.dtype, dtype) in known)
    view = buffer.view(buffer.dtype, (prod(shape),))
    (result,) = cast_kernel(buffer.dtype, dtype)([view])
    return Tensor(storage=result.view(dtype, shape))


RULES: dict[str, Callable[..., Any]] = {
    "add": binary(mo.AddOp, np.add),
    "sub": binary(mo.SubOp, np.subtract),
    "mul": binary(mo.MulOp, np.multiply),
    "div": binary(mo.DivOp, None),
    "pow": binary(mo.PowOp, None),
    "equal": binary(mo.EqualOp, np.equal),
    "greater": binary(mo.GreaterOp, np.greater),
    "greater_equal": binary(mo.GreaterEqualOp, np.greater_equal),
    "elementwise_max": binary(mo.MaxOp, None),
    "elementwise_min": binary(mo.MinOp, None),
    "max": extreme(mo.ReduceMaxOp, mo.MaxOp),
    "min": extreme(mo.ReduceMinOp, mo.MinOp),
    "sum": reduction(mo.ReduceAddOp),
    "mean": reduction(mo.ReduceMeanOp),
    "argmax": reduction(mo.ReduceArgMaxOp),
    "softmax": softmax(mo.ReduceSoftmaxOp),
    "logsoftmax": softmax(mo.ReduceLogsoftmaxOp),
    "rsqrt": unary(mo.RsqrtOp),
    "sqrt": unary(mo.SqrtOp),
    "exp": unary(mo.ExpOp),
    "log": unary(mo.LogOp),
    "tanh": unary(mo.TanhOp),
    "erf": unary(mo.ErfOp),
    "sigmoid": unary(mo.SigmoidOp),
    "negate": unary(mo.NegativeOp),
    "gelu": gelu,
    "layer_norm": layer_norm,
    "matmul": matmul,
    "cast": cast,
}
