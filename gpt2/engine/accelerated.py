"""What the cached model computes in another way on an accelerator.

MAX's attention kernel for a cache runs on CPUs only. On NVIDIA's GPUs, MAX's own
operations also round more than float32 does, and no setting changes that. A product of
matrices, also inside attention, uses 11 of 24 binary digits of each number (TF32). The
relative error of tanh is up to 2⁻¹¹. Sums, exp and the product of one row are exact.

Shapes: see ``cached_model``.
"""

from math import pi, sqrt

from max.dtype import DType
from max.experimental import functional as F
from max.experimental.tensor import Tensor
from max.graph import Dim


def attend(
    query: Tensor, key: Tensor, value: Tensor, past: tuple[Tensor, Tensor], mask: Tensor
) -> Tensor:
    """Computes attention for any T; see ``cached_model.attend_with_past``.

    It needs sums: MAX recognises attention made of products of matrices, and replaces
    it by a kernel that computes in TF32, for instance with heads of 64 channels.
    """
    places = mask.shape[-1]
    keys = join(past[0], key, places)
    values = join(past[1], value, places)
    scores = F.sum(keys.unsqueeze(2) * query.unsqueeze(0), axis=-1).squeeze(-1)
    scores = scores.permute([1, 2, 3, 0]) + mask.unsqueeze(2)  # [B, T, H, P + T]
    shares = F.softmax(scores, axis=-1).permute([3, 0, 1, 2]).unsqueeze(-1)
    return F.sum(values.unsqueeze(2) * shares, axis=0).squeeze(0)  # [B, T, H, D]


def join(old: Tensor, new: Tensor, places: Dim) -> Tensor:
    """Returns ``[P + T, B, H, D]`` for ``[P, B, H, D]`` and ``[B, T, H, D]``."""
    joined = F.concat([old, new.transpose(0, 1)], axis=0)
    return F.rebind(joined, [places, *joined.shape[1:]])


def multiply(x: Tensor, weight: Tensor) -> Tensor:
    """Returns ``x @ weight`` nearly in float32, although MAX multiplies in TF32.

    Each matrix is split into its leading 8 binary digits, which TF32 keeps, and the
    rest. The product of the two rests is too small to matter.
    """
    (x, x_rest), (weight, weight_rest) = split(x), split(weight)
    return x @ weight + (x @ weight_rest + x_rest @ weight)


def split(x: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the leading 8 binary digits of each number, and the rest."""
    leading = x.cast(DType.bfloat16).cast(x.dtype)
    return leading, x - leading


def gelu(x: Tensor) -> Tensor:
    """Returns GELU's tanh form through exp: (1 + tanh u) / 2 = 1 / (1 + exp(-2u))."""
    u = sqrt(2 / pi) * (x + 0.044715 * x * x * x)
    return x / (1 + F.exp(-2 * u))
