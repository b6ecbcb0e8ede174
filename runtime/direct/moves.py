"""Rules that move numbers or make constants: NumPy gives the same bits as MAX."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from max.dtype import DType
from max.experimental.tensor import Tensor, defaults

from runtime.direct.now import Now
from runtime.direct.values import (
    MOST_AXES,
    TYPES,
    array_of,
    axis_of,
    buffer_of,
    require,
    tensor,
    viewed,
    whole,
)


def transpose(x: Any, axis_1: Any, axis_2: Any) -> Tensor:
    """The rule for swapping two axes."""
    buffer = buffer_of(x)
    rank = len(buffer.shape)
    axes = axis_of(axis_1, rank), axis_of(axis_2, rank)
    kept = Now.transposes.find(x, buffer, axes)
    if kept is None:
        kept = tensor(np.swapaxes(np.from_dlpack(buffer), *axes))
        Now.transposes.keep(x, buffer, axes, kept)
    return kept


def permute(x: Any, dims: Any) -> Tensor:
    """The rule for a new order of the axes."""
    array = array_of(x)
    order = [axis_of(axis, array.ndim) for axis in dims]
    require(sorted(order) == list(range(array.ndim)))
    return tensor(array.transpose(order))


def reshape(x: Any, shape: Any) -> Tensor:
    """The rule for another shape of the same numbers; one size may be -1."""
    sizes, count = [whole(size) for size in shape], prod(buffer_of(x).shape)
    require(len(sizes) <= MOST_AXES and sizes.count(-1) <= 1)
    if -1 in sizes:
        known = -prod(sizes)
        require(known > 0 and count % known == 0)
        sizes[sizes.index(-1)] = count // known
    require(min(sizes, default=1) > 0 and prod(sizes) == count)
    return viewed(x, sizes)


def unsqueeze(x: Any, axis: Any) -> Tensor:
    """The rule for a new axis of length 1."""
    shape = list(buffer_of(x).shape)
    require(len(shape) < MOST_AXES)
    shape.insert(axis_of(axis, len(shape) + 1), 1)
    return viewed(x, shape)


def squeeze(x: Any, axis: Any) -> Tensor:
    """The rule for removing an axis of length 1."""
    shape = list(buffer_of(x).shape)
    require(shape.pop(axis_of(axis, len(shape))) == 1)
    return viewed(x, shape)


def broadcast_to(x: Any, shape: Any) -> Tensor:
    """The rule for repeating numbers along axes."""
    sizes = tuple(whole(size) for size in shape)
    require(len(sizes) <= MOST_AXES and 0 not in sizes)
    return tensor(np.broadcast_to(array_of(x), sizes))


def item(x: Any, index: Any) -> Tensor:
    """The rule for ``x[index]`` with numbers and slices."""
    array = array_of(x)
    index = index if isinstance(index, tuple) else (index,)
    require(sum(part is Ellipsis for part in index) <= 1)
    given = len(index) - (Ellipsis in index)
    require(given <= array.ndim)
    if Ellipsis in index:
        place = index.index(Ellipsis)
        rest = (slice(None),) * (array.ndim - given)
        index = (*index[:place], *rest, *index[place + 1 :])
    parts = [known(part, size) for part, size in zip(index, array.shape, strict=False)]
    result = array[tuple(parts)]
    require(0 not in result.shape)
    return tensor(result)


def known(part: Any, size: int) -> int | slice:
    """Returns an index or a slice of step 1 that stays inside an axis."""
    if not isinstance(part, slice):
        require(type(part) is int and -size <= part < size)
        return part
    require(part.step is None)
    bounds = [part.start, part.stop]
    ends = [None if end is None else whole(end) for end in bounds]
    require(all(end is None or -size <= end <= size for end in ends))
    return slice(*ends)


def chunk(x: Any, chunks: Any, axis: Any = 0) -> list[Tensor]:
    """The rule for cutting an axis into equal parts."""
    array = array_of(x)
    axis = axis_of(axis, array.ndim)
    require(type(chunks) is int and chunks > 0 and array.shape[axis] % chunks == 0)
    return [tensor(part) for part in np.split(array, chunks, axis=axis)]


def split(x: Any, split_size_or_sections: Any, axis: Any = 0) -> list[Tensor]:
    """The rule for cutting an axis into parts of given lengths."""
    array, sizes = array_of(x), split_size_or_sections
    axis = axis_of(axis, array.ndim)
    length = array.shape[axis]
    if type(sizes) is int:
        require(sizes > 0 and length % sizes == 0)
        sizes = [sizes] * (length // sizes)
    sizes = [whole(size) for size in sizes]
    require(min(sizes, default=0) > 0 and sum(sizes) == length)
    ends = np.cumsum(sizes)[:-1]
    return [tensor(part) for part in np.split(array, ends, axis=axis)]


def joined(join: Callable[..., np.ndarray], more: int) -> Callable[..., Tensor]:
    """Makes the rule for ``concat`` or ``stack``, which adds ``more`` axes."""

    def rule(original_vals: Any = None, axis: Any = 0, **named: Any) -> Tensor:
        require(not named and isinstance(original_vals, list | tuple))
        arrays = [array_of(value) for value in original_vals]
        require(len({(array.dtype, array.ndim) for array in arrays}) == 1)
        rank = arrays[0].ndim + more
        require(rank <= MOST_AXES)
        return tensor(join(arrays, axis=axis_of(axis, rank)))

    return rule


def gather(input: Any, indices: Any, axis: Any) -> Tensor:
    """The rule for looking up rows; indices outside the table are MAX's to judge."""
    table, rows = array_of(input), array_of(indices, DType.int64)
    axis = axis_of(axis, table.ndim)
    require(table.ndim + rows.ndim - 1 <= MOST_AXES)
    require(rows.min() >= 0 and rows.max() < table.shape[axis])
    return tensor(np.take(table, rows, axis=axis))


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
    """The rule for a tensor of one number."""
    return tensor(number(value, on_the_cpu(dtype, device)))


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
    "transpose": transpose,
    "permute": permute,
    "reshape": reshape,
    "unsqueeze": unsqueeze,
    "squeeze": squeeze,
    "broadcast_to": broadcast_to,
    "chunk": chunk,
    "split": split,
    "concat": joined(np.concatenate, 0),
    "stack": joined(np.stack, 1),
    "gather": gather,
    "band_part": band_part,
    "where": where,
    "full": full,
    "constant": constant,
    "zeros": filled(0.0),
    "ones": filled(1.0),
    "full_like": full_like,
    "arange": arange,
    "logical_not": logic(np.logical_not),
    "logical_and": logic(np.logical_and),
    "logical_or": logic(np.logical_or),
}
