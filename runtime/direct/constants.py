"""Rules for new tensors and for choices: NumPy gives the same bits as MAX."""

from collections.abc import Callable
from typing import Any

import numpy as np
from max.dtype import DType
from max.experimental.tensor import Tensor, defaults

from runtime.direct.values import (
    MOST_AXES,
    TYPES,
    array_of,
    buffer_of,
    require,
    tensor,
    whole,
)


def band_part(
    x: Any, num_lower: Any = None, num_upper: Any = None, exclude: Any = False
) -> Tensor:
    """The rule for keeping a band around the diagonal, or what is outside."""
    array = array_of(x)
    require(array.ndim >= 2 and type(exclude) is bool)
    height, width = array.shape[-2:]
    rows, columns = np.ogrid[:height, :width]
    below, above = rows - columns, columns - rows
    band = inside(below, num_lower, height) & inside(above, num_upper, width)
    kept = np.broadcast_to(band != exclude, array.shape)
    return tensor(np.where(kept, array, array.dtype.type(0)))


def inside(distances: np.ndarray, most: Any, size: int) -> np.ndarray:
    """Returns where a distance from the diagonal is at most ``most``, if given."""
    if most is None:
        return np.full(distances.shape, True)
    require(type(most) is int and 0 <= most < size)
    return distances <= most


def where(cond: Any, x: Any, y: Any) -> Tensor:
    """The rule for choosing between two tensors, or a tensor and a number."""
    dtype = (x if type(x) is Tensor else y).dtype
    choices = [choice(value, dtype) for value in (x, y)]
    chosen = np.where(array_of(cond, DType.bool), *choices)
    require(chosen.ndim <= MOST_AXES)
    return tensor(chosen)


def choice(value: Any, dtype: DType) -> np.ndarray:
    """Returns a tensor's values, or a number in the other tensor's type."""
    if type(value) is Tensor:
        return array_of(value, dtype)
    return number(value, dtype)


def number(value: Any, dtype: DType) -> np.ndarray:
    """Returns a Python number as an array, if the type has this number."""
    require(dtype in (DType.float32, DType.int64) and type(value) in (int, float))
    array = np.array(value, dtype=dtype.to_numpy())
    require(type(value) is float or int(array) == value)
    require(dtype == DType.float32 or type(value) is int)
    require(bool(np.isfinite(array) or not np.isfinite(value)))
    return array


def full(shape: Any, value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The rule for a tensor with one number everywhere."""
    dtype, sizes = on_the_cpu(dtype, device), [whole(size) for size in shape]
    require(min(sizes, default=1) > 0 and len(sizes) <= MOST_AXES)
    return tensor(np.broadcast_to(number(value, dtype), sizes))


def constant(value: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The rule for a tensor of one number, of a list or of an array."""
    if isinstance(value, np.ndarray):
        own = DType.from_numpy(value.dtype)
        require(on_the_cpu(dtype or own, device) == own and 0 < value.ndim <= MOST_AXES)
        require(value.size > 0)
        return tensor(value)
    dtype = on_the_cpu(dtype, device)
    if isinstance(value, list):
        require(len(value) > 0)
        return tensor(np.array([number(each, dtype) for each in value]))
    return tensor(number(value, dtype))


def filled(value: float) -> Callable[..., Tensor]:
    """Makes the rule for ``zeros`` or ``ones``."""
    return lambda shape, **rest: full(shape, value, **rest)


def full_like(like: Any, value: Any) -> Tensor:
    """The rule for one number everywhere, in another tensor's shape and type."""
    buffer = buffer_of(like)
    return tensor(np.broadcast_to(number(value, buffer.dtype), buffer.shape))


def arange(
    start: Any,
    stop: Any,
    step: Any = 1,
    out_dim: Any = None,
    *,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """The rule for numbers in a row, of step 1."""
    dtype = on_the_cpu(dtype, device)
    first, last = whole(start), whole(stop)
    require(step == 1 and type(step) is int and out_dim is None)
    require(first < last and max(abs(first), abs(last)) < 2**24)
    require(dtype in (DType.float32, DType.int64))
    return tensor(np.arange(first, last, dtype=dtype.to_numpy()))


def on_the_cpu(dtype: Any, device: Any) -> DType:
    """Returns a new tensor's type, if it is to be on the CPU."""
    dtype, device = defaults(dtype, only_device(device))
    require(only_device(device).is_host and dtype in TYPES)
    return dtype


def only_device(device: Any) -> Any:
    """Returns the device of a mesh or of a mapping to a mesh, or the device itself."""
    mesh = getattr(device, "mesh", device)
    (place,) = getattr(mesh, "devices", (mesh,))
    return place


def logic(operation: Callable[..., np.ndarray]) -> Callable[..., Tensor]:
    """Makes the rule for an operation on truth values."""

    def rule(*values: Any) -> Tensor:
        result = operation(*(array_of(value, DType.bool) for value in values))
        require(result.ndim <= MOST_AXES)
        return tensor(result)

    return rule


RULES: dict[str, Callable[..., Any]] = {
    "where": where,
    "full": full,
    "constant": constant,
    "zeros": filled(0.0),
    "ones": filled(1.0),
    "full_like": full_like,
    "arange": arange,
    "band_part": band_part,
    "logical_not": logic(np.logical_not),
    "logical_and": logic(np.logical_and),
    "logical_or": logic(np.logical_or),
}
