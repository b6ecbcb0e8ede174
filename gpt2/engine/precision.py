"""Smaller weights: bfloat16, or whole numbers with a scale for each 32.

Activations and sums stay in float32. ``float32`` is exact.
"""

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from max.driver import Buffer

Precision = Literal["float32", "bfloat16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
BLOCK = 32  # weights of a row that share a scale


class PrecisionError(ValueError):
    """A model whose weights cannot be kept in the wanted precision."""


def pack(
    weights: dict[str, np.ndarray], precision: Precision, matvec: int
) -> "dict[str, np.ndarray | Buffer]":
    """Returns the parameters of ``KernelOperations``, and empties ``weights``.

    Each array is let go as soon as its smaller form exists. So the memory never holds
    all of both.

    Args:
        weights: float32 arrays by name.
        precision: how matrices are kept.
        matvec: the address of a function that computes W x, or 0 for the course's own.

    Raises:
        PrecisionError: a row has a number of weights that 32 does not divide.
    """
    packed: dict[str, np.ndarray | Buffer] = {}
    for name in list(weights):
        array = weights.pop(name)
        if not is_packed(name, array):
            packed[name] = array
        elif precision == "int8":
            packed[name], packed[sibling(name, "scale")] = to_int8(array)
        else:
            packed[name] = to_bfloat16(array) if precision == "bfloat16" else array
            packed[sibling(name, "matvec")] = np.array([matvec])
        if name.endswith("wte.weight"):  # the head is a layer without a bias
            packed[sibling(name, "bias")] = np.zeros(len(array), dtype=np.float32)
    return packed


def sibling(name: str, last: str) -> str:
    """Returns the name of another parameter of the same layer."""
    return f"{name.removesuffix('weight')}{last}"


def is_packed(name: str, array: np.ndarray) -> bool:
    """Whether a parameter is kept in the smaller form: linear layers and the head."""
    return array.ndim == 2 and not name.endswith("wpe.weight")


def to_bfloat16(array: np.ndarray) -> "Buffer":
    """Rounds float32 to bfloat16, to the nearest and halves to even."""
    from max.driver import Buffer  # takes a second, which gpt2 --help has not
    from max.dtype import DType

    bits = np.ascontiguousarray(array).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    rounded[np.isnan(array)] = 0x7FC0  # the sum above may pass the last number
    return Buffer.from_numpy(rounded.astype(np.uint16)).view(
        DType.bfloat16, array.shape
    )


def to_int8(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounds ``[out, in]`` to whole numbers from -127 to 127.

    Returns:
        The numbers ``[out, in]``, and a scale ``[out, in / 32]`` for each block.

    Raises:
        PrecisionError: 32 does not divide ``in``.

    Source: llama.cpp's Q8_0, whose scales are float16.
    """
    if array.shape[1] % BLOCK:
        raise PrecisionError(
            f"int8 needs rows of a multiple of {BLOCK} weights, and this model has "
            f"rows of {array.shape[1]}: use bfloat16 or float32"
        )
    blocks = array.reshape(len(array), -1, BLOCK)
    scales = np.abs(blocks).max(axis=-1) / np.float32(127)
    # Below this number float32 has fewer digits, and a quotient may pass 127.
    scales[scales < np.finfo(np.float32).tiny] = 0
    safe = np.where(scales == 0, np.float32(1), scales)
    whole = np.rint(blocks / safe[..., None]).astype(np.int8)
    return whole.reshape(array.shape), scales
