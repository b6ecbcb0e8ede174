"""The engine: from tokens to the next token's logits, one compiled graph per run.

Shapes: B batch, T new tokens, P past tokens, H heads, D head size, V vocabulary.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from unittest.mock import patch

import numpy as np
from max.driver import CPU, Accelerator, Buffer, Device
from max.dtype import DType
from max.experimental import functional as F
from max.experimental.compilation import CompiledCallable
from max.experimental.nn import Module
from max.experimental.tensor import default_device, default_dtype
from max.graph import KernelLibrary, TensorType

from gpt2.cached_model import CachedGPT2
from gpt2.first_run import announced
from solutions.solution_01 import GPT2Config

Weights = Mapping[str, np.ndarray]
OnCompile = Callable[[str], None] | None


def open_device(name: str, *known: str) -> Device:
    """The device of that name, if it is one of the known ones."""
    if name not in known:
        raise ValueError(f"there is no device {name!r} here, only {', '.join(known)}")
    return CPU() if name == "cpu" else Accelerator()


def compile_model(
    model_class: type[Module],
    config: GPT2Config,
    weights: Weights,
    input_types: Iterable[Any],
    device: Device,
) -> CompiledCallable:
    """Compiles a model for symbolic shapes; its weights come in by name."""
    with default_device(device), default_dtype(DType.float32):
        with F.lazy():  # or each layer would draw random weights first
            model = model_class(config)
        with patch.object(KernelLibrary, "verify_custom_op"):
            # That check reads every kernel MAX has: 3 s, in each process anew.
            return model.compile(*input_types, weights=weights)


def ids_type(device: Device) -> TensorType:
    """The type of token ids, ``[batch, seq]``."""
    return TensorType(DType.int64, ["batch", "seq"], device=device)


def check_ids(ids: np.ndarray, start: int, config: GPT2Config) -> None:
    """Raises ValueError unless ``[B, T]`` new ids fit after ``start`` tokens."""
    if ids.ndim != 2 or 0 in ids.shape:
        raise ValueError(f"token ids of shape {ids.shape} are no text to continue")
    if (end := start + ids.shape[1]) > config.n_positions:
        raise ValueError(
            f"{end} tokens are more than the {config.n_positions} this model can see"
        )
    if ids.min() < 0 or ids.max() >= config.vocab_size:
        raise ValueError(f"token ids must be from 0 to {config.vocab_size - 1}")


class Engine:
    """Runs a GPT-2 with a key-value cache: each token goes through the model once.

    Args:
        config: the model's sizes.
        weights: float32 arrays named as in ``MaxGPT2LMHeadModel``, contiguous,
            those of linear layers ``[out, in]``.
        device: ``"cpu"``; the kernel that reads the cache has no other.
        on_compile: is told in one line when compiling will take long.
    """

    def __init__(
        self,
        config: GPT2Config,
        weights: Weights,
        *,
        device: str = "cpu",
        on_compile: OnCompile = None,
    ) -> None:
        self.config, self.device = config, open_device(device, "cpu")
        self._cache: list[Buffer] = []
        types = [ids_type(self.device), [(self._past_type(),) * 2] * config.n_layer]
        with announced(CachedGPT2, config, device, on_compile):
            self._graph = compile_model(CachedGPT2, config, weights, types, self.device)

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts a new text: ids ``[B, T]`` to the logits ``[B, V]`` after them.

        Raises:
            ValueError: the ids are none, too many, or not in the vocabulary.
        """
        check_ids(ids, 0, self.config)
        self._cache, self._length = self._empty_cache(len(ids)), 0
        return self._extend(ids)

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one token to every row: ids ``[B]`` to the logits ``[B, V]``.

        Raises:
            ValueError: the text is full, or is of another batch than ``ids``.
        """
        if not self._cache or len(ids) != self._cache[0].shape[1]:
            raise ValueError(f"there is no text of {len(ids)} rows to continue")
        return self._extend(ids[:, None])

    def _extend(self, ids: np.ndarray) -> np.ndarray:
        """Any number of new tokens ``[B, T]`` after those in the cache."""
        check_ids(ids, self._length, self.config)
        start, self._length = self._length, self._length + ids.shape[1]
        past = [buffer[:start, :, :, :] for buffer in self._cache]
        new_ids = Buffer.from_numpy(np.ascontiguousarray(ids)).to(self.device)
        logits, *new = self._graph.execute_raw(new_ids, *past)
        for buffer, part in zip(self._cache, new, strict=True):
            buffer[start : self._length, :, :, :].inplace_copy_from(part)
        return logits.to_numpy()

    def _past_type(self) -> TensorType:
        """One layer's keys or values, ``[P, B, H, D]``."""
        heads, head_size = self.config.n_head, self.config.n_embd // self.config.n_head
        shape = ["past", "batch", heads, head_size]
        return TensorType(DType.float32, shape, device=self.device)

    def _empty_cache(self, batch: int) -> list[Buffer]:
        """Room for every layer's keys and values, ``[n_positions, B, H, D]`` each."""
        shape = [self.config.n_positions, batch, *map(int, self._past_type().shape[2:])]
        count = 2 * self.config.n_layer
        return [Buffer(DType.float32, shape, self.device) for _ in range(count)]


class RecomputingEngine:
    """Runs a GPT-2 over the whole text for every token, as step 14 does.

    Args:
        config, weights, on_compile: as for ``Engine``.
        model_class: ``MaxGPT2LMHeadModel``, of ``solutions`` or the learner's own.
        device: ``"cpu"`` or ``"gpu"``.
    """

    def __init__(
        self,
        config: GPT2Config,
        weights: Weights,
        model_class: type[Module],
        *,
        device: str = "cpu",
        on_compile: OnCompile = None,
    ) -> None:
        self.config, self.device = config, open_device(device, "cpu", "gpu")
        self._text = np.empty([0, 0], dtype=np.int64)
        with announced(model_class, config, device, on_compile):
            self._graph = compile_model(
                model_class, config, weights, [ids_type(self.device)], self.device
            )

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts a new text: ids ``[B, T]`` to the logits ``[B, V]`` after them."""
        check_ids(ids, 0, self.config)
        self._text = np.array(ids)
        new_ids = Buffer.from_numpy(self._text).to(self.device)
        (logits,) = self._graph.execute_raw(new_ids)  # [B, T, V]
        return logits.to_numpy()[:, -1]

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one token to every row: ids ``[B]`` to the logits ``[B, V]``."""
        if len(ids) != len(self._text):
            raise ValueError(f"there is no text of {len(ids)} rows to continue")
        return self.prefill(np.concatenate([self._text, ids[:, None]], axis=1))
