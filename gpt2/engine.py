"""The engine: from tokens to the next token's logits, one compiled graph per run.

Shapes: B batch, T new tokens, P past tokens, H heads, D head size, V vocabulary.
"""

from collections.abc import Sequence

import numpy as np
from max.driver import CPU, Accelerator, Buffer, Device
from max.dtype import DType

from gpt2.compiled import Compiled, OnCompile, Weights, announced, load_graph
from solutions.solution_01 import GPT2Config


def open_device(name: str, *known: str) -> Device:
    """The device of that name, if it is one of the known ones."""
    if name not in known:
        raise ValueError(f"there is no device {name!r} here, only {', '.join(known)}")
    return CPU() if name == "cpu" else Accelerator()


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

        def compile_graph() -> Compiled:
            from gpt2.compiling import compile_cached_model  # takes a second

            return compile_cached_model(config, weights, self.device)

        self._model = load_graph(
            config, weights, self.device, compile_graph, on_compile
        )

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

    def select(self, rows: Sequence[int]) -> None:
        """Goes on with these rows of the batch, in this order; one may come twice."""
        same = len(rows) == self._cache[0].shape[1]
        selected = self._cache if same else self._empty_cache(len(rows))
        places = [i for i, row in enumerate(rows) if not same or i != row]
        sources = [rows[i] for i in places]
        for old, new in zip(self._cache, selected, strict=True):
            past = old.to_numpy()[: self._length]  # views: the buffer itself changes
            new.to_numpy()[: self._length, places] = past[:, sources]
        self._cache = selected

    def _extend(self, ids: np.ndarray) -> np.ndarray:
        """Any number of new tokens ``[B, T]`` after those in the cache."""
        check_ids(ids, self._length, self.config)
        start, self._length = self._length, self._length + ids.shape[1]
        past = [buffer[:start, :, :, :] for buffer in self._cache]
        new_ids = Buffer.from_numpy(np.ascontiguousarray(ids)).to(self.device)
        logits, *new = self._model(new_ids, *past)
        for buffer, part in zip(self._cache, new, strict=True):
            buffer[start : self._length, :, :, :].inplace_copy_from(part)
        return logits.to_numpy()

    def _empty_cache(self, batch: int) -> list[Buffer]:
        """Room for every layer's keys and values, ``[n_positions, B, H, D]`` each."""
        c = self.config
        shape = [c.n_positions, batch, c.n_head, c.n_embd // c.n_head]
        count = 2 * c.n_layer
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
        model_class: type,
        *,
        device: str = "cpu",
        on_compile: OnCompile = None,
    ) -> None:
        self.config, self.device = config, open_device(device, "cpu", "gpu")
        self._text = np.empty([0, 0], dtype=np.int64)
        from gpt2.compiling import compile_plain_model  # takes a second

        with announced(config, on_compile):
            compiled = compile_plain_model(model_class, config, weights, self.device)
        self._model = compiled.engine_model

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts a new text: ids ``[B, T]`` to the logits ``[B, V]`` after them."""
        check_ids(ids, 0, self.config)
        self._text = np.array(ids)
        new_ids = Buffer.from_numpy(self._text).to(self.device)
        (logits,) = self._model(new_ids)  # [B, T, V]
        return logits.to_numpy()[:, -1]

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one token to every row: ids ``[B]`` to the logits ``[B, V]``."""
        if len(ids) != len(self._text):
            raise ValueError(f"there is no text of {len(ids)} rows to continue")
        return self.prefill(np.concatenate([self._text, ids[:, None]], axis=1))

    def select(self, rows: Sequence[int]) -> None:
        """Goes on with these rows of the batch, in this order; one may come twice."""
        self._text = self._text[list(rows)]
