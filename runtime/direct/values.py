"""Tensors as buffers and arrays, and what the rules refuse."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from max.driver import Buffer
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.tensor import Tensor
from max.graph import StaticDim

from runtime.lazy_operations import PendingGraph

TYPES = {DType.float32, DType.int64, DType.bool}
MOST_AXES = 5  # as many as MAX's kernels that move data have


class Unfit(Exception):
    """A rule does not compute this call: MAX's own graph does, or raises an error."""


def require(fits: bool) -> None:
    """Raises Unfit unless a condition holds."""
    if not fits:
        raise Unfit


def buffer_of(value: Any, *dtypes: DType) -> Buffer:
    """Returns a tensor's values, after running collected operations if needed.

    Raises:
        Unfit: no tensor, no values, another type than ``dtypes``, or another device.
    """
    require(type(value) is Tensor and value.dtype in (dtypes or TYPES))
    if value._state is not None:
        require(isinstance(value._state.ctx, PendingGraph))
        F._run(value._state.ctx.realize_all())
    storages = value._storages
    require(storages is not None and len(storages) == 1)
    (buffer,) = storages
    shape = buffer.shape
    require(len(shape) <= MOST_AXES and 0 not in shape and buffer.device.is_host)
    require(buffer.is_contiguous)
    return buffer


def array_of(value: Any, *dtypes: DType) -> np.ndarray:
    """Returns a tensor's values as an array that shares its memory."""
    return np.from_dlpack(buffer_of(value, *dtypes))


def tensor(array: np.ndarray) -> Tensor:
    """Returns a tensor with a copy of an array, as MAX's operations copy."""
    return Tensor(storage=Buffer.from_numpy(array.copy(order="C")))


def viewed(value: Any, shape: Sequence[int]) -> Tensor:
    """Returns a tensor of another shape that shares the values."""
    buffer = buffer_of(value)
    return Tensor(storage=buffer.view(buffer.dtype, tuple(shape)))


def whole(number: Any) -> int:
    """Returns an int or a dimension of known size as an int."""
    require(type(number) is int or isinstance(number, StaticDim))
    return int(number)


def axis_of(axis: Any, rank: int) -> int:
    """Returns an axis counted from the front."""
    require(type(axis) is int and -rank <= axis < rank)
    return axis % rank
