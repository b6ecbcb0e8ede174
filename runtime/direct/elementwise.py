"""Rules for arithmetic number by number, with the kernels of MAX's interpreter."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from max._core.dialects import mo
from max.driver import Buffer
from max.dtype import DType
from max.experimental.tensor import Tensor

from runtime.direct.kernels import (
    BOOL,
    FLOAT,
    INT,
    cast_kernel,
    kernel,
)
from runtime.direct.values import (
    MOST_AXES,
    array_of,
    buffer_of,
    require,
    tensor,
)

LARGEST = float(np.finfo(np.float32).max)


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
    "rsqrt": unary(mo.RsqrtOp),
    "sqrt": unary(mo.SqrtOp),
    "exp": unary(mo.ExpOp),
    "log": unary(mo.LogOp),
    "tanh": unary(mo.TanhOp),
    "erf": unary(mo.ErfOp),
    "sigmoid": unary(mo.SigmoidOp),
    "negate": unary(mo.NegativeOp),
    "gelu": gelu,
    "cast": cast,
}
