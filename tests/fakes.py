"""Stand-ins that checkers send to the worker, where the code under test runs.

MAX is imported inside the functions: the grader's own process never needs it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


def mask_for_scores(causal_mask: Any, scores: Any) -> Any:
    """Calls ``causal_mask`` as attention does, with a length that may be symbolic."""
    return causal_mask(scores.shape[0], 1, dtype=scores.dtype, device=scores.device)


@dataclass
class TableModel:
    """A model whose logits depend on the last token alone, by a table.

    Attributes:
        table: ``[V, V]``, the logits after each token.
        seen: the ids of every call, so that a checker can see what was asked.
    """

    table: np.ndarray
    seen: list[list[list[int]]] = field(default_factory=list)

    def __call__(self, input_ids: Any) -> Any:
        """Ids ``[B, T]`` to logits ``[B, T, V]``."""
        from max.experimental.tensor import Tensor

        ids = input_ids.to_numpy()
        self.seen.append(ids.tolist())
        return Tensor.from_dlpack(self.table[ids])


@dataclass
class Affine:
    """Stands for a norm or a sublayer: ``[...]`` to x · scale + shift."""

    scale: float
    shift: float

    def __call__(self, x: Any) -> Any:
        return x * self.scale + self.shift


def mask_of_dtype(causal_mask: Any, scores: Any) -> Any:
    """Calls ``causal_mask`` with the scores' type and requires that type back."""
    mask = causal_mask(scores.shape[0], 1, dtype=scores.dtype, device=scores.device)
    if mask.dtype != scores.dtype:
        raise TypeError(
            f"the mask is {mask.dtype.name}, and dtype= said {scores.dtype.name}"
        )
    return mask


def inside_another(module: Any) -> Any:
    """Puts a module into another one, as a later step will."""
    from max.experimental.nn import Module

    class Holder(Module):
        def __init__(self) -> None:
            self.inner = module

    return Holder()


def through_affines(pre_norm_residual: Any, x: Any) -> Any:
    """Calls it as a block does, with stand-ins for the norm and the sublayer."""
    return pre_norm_residual(x, Affine(0.5, 1.0), Affine(-3.0, 2.0))
