"""Rules that move numbers: NumPy gives the same bits as MAX."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from max.dtype import DType
from max.experimental.tensor import Tensor

from runtime.direct.now import Now
from runtime.direct.values import (
    MOST_AXES,
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
    """The rule for ``x[index]`` with numbers, slices of step 1, None and ``...``."""
    array = array_of(x)
    parts = list(index) if isinstance(index, tuple) else [index]
    rest = [place for place, part in enumerate(parts) if part is Ellipsis]
    require(len(rest) <= 1)
    used = [part for part in parts if part is not None and part is not Ellipsis]
    missing = array.ndim - len(used)
    require(missing >= 0)
    for place in rest:
        parts[place : place + 1] = [slice(None)] * missing
    sizes = iter(array.shape)
    chosen = [None if part is None else known(part, next(sizes)) for part in parts]
    result = array[tuple(chosen)]
    require(0 not in result.shape and result.ndim <= MOST_AXES)
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
}
