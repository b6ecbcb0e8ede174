"""Stand-ins that checkers send to the worker, where the code under test runs.

The functions import MAX: the grader's own process never needs MAX.
"""

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from tests.oracle import model as oracle

TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")  # in checkpoints


def mask_for_scores(causal_mask: Any, scores: Any) -> Any:
    """Calls ``causal_mask`` as attention does, with a length that may be symbolic."""
    return causal_mask(scores.shape[0], 1, dtype=scores.dtype, device=scores.device)


@dataclass
class TableModel:
    """A model whose logits depend only on the last token.

    Attributes:
        table: ``[V, V]``, the logits after each token.
        seen: the ids of every call, for the checker.
    """

    table: np.ndarray
    seen: list[list[list[int]]] = field(default_factory=list)

    def __call__(self, input_ids: Any) -> Any:
        """Returns logits ``[B, T, V]`` for ids ``[B, T]``."""
        from max.experimental.tensor import Tensor

        ids = input_ids.to_numpy()
        self.seen.append(ids.tolist())
        return Tensor.from_dlpack(self.table[ids])


@dataclass
class Affine:
    """Stands in for a norm or a sublayer: returns x · scale + shift."""

    scale: float
    shift: float

    def __call__(self, x: Any) -> Any:
        return x * self.scale + self.shift


class AddsFirst:
    """Stands in for attention: adds the first token of a text to its tokens."""

    def __call__(self, x: Any) -> Any:
        """Tokens ``[B, T, C]`` to the same shape."""
        return x + x[:, :1]


def mask_of_dtype(causal_mask: Any, scores: Any) -> Any:
    """Calls ``causal_mask`` with the scores' dtype and requires that dtype back."""
    length, before = scores.shape[0], ""
    with contextlib.suppress(TypeError):  # a symbol
        length, before = int(length), ", after a float32 mask of the same size"
    mask = causal_mask(length, 1, dtype=scores.dtype, device=scores.device)
    if mask.dtype != scores.dtype:
        wanted = f"dtype= said {scores.dtype.name}{before}"
        raise TypeError(f"the mask is {mask.dtype.name}, and {wanted}")
    return mask


def inside_another(module: Any) -> Any:
    """Puts a module into another module, as later steps do."""
    from max.experimental.nn import Module

    class Holder(Module):
        def __init__(self) -> None:
            self.inner = module

    return Holder()


def through_affines(pre_norm_residual: Any, x: Any) -> Any:
    """Calls ``pre_norm_residual`` with stand-ins for the norm and the sublayer."""
    return pre_norm_residual(x, Affine(0.5, 1.0), Affine(-3.0, 2.0))


def in_numpy(function: Any, *tensors: Any) -> Any:
    """Makes part of a known mistake with NumPy; MAX would compile a kernel for it.

    While a model is traced, tensors have no numbers, and the first one comes back.
    """
    from max.experimental.tensor import Tensor

    try:
        arrays = [tensor.to_numpy() for tensor in tensors]
    except TypeError:
        return tensors[0]
    return Tensor.from_dlpack(np.ascontiguousarray(function(*arrays)))


def draw(sample: Any, logits: np.ndarray, rng: Any, count: int) -> list[int]:
    """Calls ``sample`` ``count`` times in the worker: single calls are slower."""
    return [int(sample(logits, rng)) for _ in range(count)]


@dataclass
class NextLogits:
    """A model for beam search that reads its logits from a table.

    Attributes:
        table: ``[R, V]``; row r has the logits after texts whose last id is r.
        whole_text: the whole text selects the row instead. With many rows, no two
            texts are then equally likely.
    """

    table: np.ndarray
    whole_text: bool = False

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        """Ids ``[N, T]`` to logits ``[N, V]``."""
        if np.ndim(ids) != 2:
            raise TypeError(f"next_logits takes ids [N, T], not {list(np.shape(ids))}")
        ids = np.asarray(ids)
        row = 0 if self.whole_text else ids[:, -1]
        for column in ids.T if self.whole_text else ():
            row = (row * 31 + column) % len(self.table)
        return self.table[row]


@dataclass
class TextLogits:
    """A model for one text that reads its logits from a table.

    Attributes:
        table: ``[R, V]``; row r has the logits after a text whose last id is r.
        whole_text: the whole text selects the row instead.
    """

    table: np.ndarray
    whole_text: bool = False

    def __call__(self, ids: Any) -> np.ndarray:
        """Ids ``[T]`` to logits ``[V]``."""
        if np.ndim(ids) != 1:
            raise TypeError(f"next_logits takes ids [T], not {list(np.shape(ids))}")
        row = 0 if self.whole_text else int(ids[-1])
        for token in ids if self.whole_text else ():
            row = (row * 31 + int(token)) % len(self.table)
        return self.table[row]


class GoldenModel:
    """A checkpoint of the golden files as ``next_logits``, with a cache of its results.

    Args:
        folder: ``config.json`` and ``model.safetensors`` as Hugging Face writes them.
    """

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.sizes = config["n_layer"], config["n_head"], config["layer_norm_epsilon"]
        weights = load_file(folder / "model.safetensors")
        self.state = {
            k: w.T if k.endswith(TRANSPOSED) else w for k, w in weights.items()
        }
        self.known: dict[tuple[int, ...], np.ndarray] = {}

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        """Ids ``[N, T]`` to logits ``[N, V]``."""
        rows = [tuple(row) for row in np.asarray(ids).tolist()]
        if new := sorted({row for row in rows if row not in self.known}):
            logits = oracle.logits(np.array(new), self.state, *self.sizes)
            self.known |= zip(new, logits[:, -1], strict=True)
        return np.array([self.known[row] for row in rows])
