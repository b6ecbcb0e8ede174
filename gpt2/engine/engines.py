"""Engines compute the next token's logits from tokens, with one compiled graph.

Shapes: B batch, T new tokens, V vocabulary.
"""

from collections.abc import Sequence

import numpy as np
from max.driver import CPU, Accelerator, Buffer, Device

from gpt2.engine.cache import Cache
from gpt2.engine.graph_file import load_cached_model, seconds_to_compile
from gpt2.engine.precision import Precision
from runtime.compiled_graphs import OnCompile, Weights, announced
from solutions.solution_01 import GPT2Config

DEVICES: dict[str, type[Device]] = {"cpu": CPU, "gpu": Accelerator}


def open_device(name: str) -> Device:
    """Returns the device ``"cpu"`` or ``"gpu"``; raises ValueError for other names."""
    if name not in DEVICES:
        raise ValueError(f"there is no device {name!r} here, only {', '.join(DEVICES)}")
    return DEVICES[name]()


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
    """Runs a GPT-2 with a key-value cache: the model reads each token once.

    Args:
        config: the model's sizes.
        weights: contiguous float32 arrays with the names of ``MaxGPT2LMHeadModel``;
            weights of linear layers are ``[out, in]``.
        device: ``"cpu"`` or ``"gpu"``; weights, cache and arithmetic are there.
        precision: how a CPU keeps the matrices. Another one than float32 needs less
            memory and time, and empties ``weights``.
        matvec: the address of a function that multiplies one row, in place of the
            course's own; see ``kernels/products.mojo``.
        on_compile: gets one sentence when compiling takes long.

    Raises:
        PrecisionError: the precision is not possible here or for these sizes.
        ValueError: ``matvec`` is not possible here or with this precision.
    """

    def __init__(
        self,
        config: GPT2Config,
        weights: dict[str, np.ndarray],
        *,
        device: str = "cpu",
        precision: Precision = "float32",
        matvec: int = 0,
        on_compile: OnCompile = None,
    ) -> None:
        self.config, self.device = config, open_device(device)
        self._model, self._kind = load_cached_model(
            config, weights, self.device, precision, matvec, on_compile
        )
        self._cache = self.empty_cache(0)

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts new texts with ids ``[B, T]``; returns the next logits ``[B, V]``.

        Raises:
            ValueError: there are no ids, too many, or ids outside the vocabulary.
        """
        check_ids(ids, 0, self.config)
        self._cache = self.empty_cache(len(ids))
        return self.extend(self._cache, ids)

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one token of ids ``[B]`` to every row; returns logits ``[B, V]``.

        Raises:
            ValueError: the context is full, or ``ids`` has another batch size.
        """
        return self.extend(self._cache, ids[:, None])

    def continue_from(self, length: int, ids: np.ndarray, count: int) -> np.ndarray:
        """Keeps the first tokens of the texts and appends others.

        Args:
            length: how many tokens of every text are kept; 0 starts new texts.
            ids: ``[B, T]``, the new tokens.
            count: how many logits are asked for, from 1 to T.

        Returns:
            ``[B, count, V]``, the logits after each of the last ``count`` tokens.

        Raises:
            ValueError: as for ``extend``.
        """
        if length == 0:
            self._cache = self.empty_cache(len(ids))
        self._cache.keep(length)
        return self._run(self._cache, ids, count)

    def select(self, rows: Sequence[int]) -> None:
        """Keeps only these rows of the batch, in this order; rows may repeat."""
        self._cache = self._cache.select(rows)

    def empty_cache(self, rows: int) -> Cache:
        """Returns an empty cache for ``rows`` texts."""
        return self._kind(self.config, rows, self.device)

    def extend(self, cache: Cache, ids: np.ndarray) -> np.ndarray:
        """Adds new tokens ``[B, T]`` to a cache's texts; returns logits ``[B, V]``.

        Raises:
            ValueError: there are no ids, too many, ids outside the vocabulary, or
                another batch size.
        """
        return self._run(cache, ids, 1)[:, 0]

    def _run(self, cache: Cache, ids: np.ndarray, count: int) -> np.ndarray:
        """Does what ``extend`` does; returns ``[B, count, V]``, of the last tokens."""
        check_ids(ids, cache.longest, self.config)
        if len(ids) != len(cache.lengths):
            raise ValueError(f"there is no text of {len(ids)} rows to continue")
        length = ids.shape[1]
        asked = np.arange(length - count, length)
        arrays = ids, cache.positions(length), cache.seen(length), asked
        inputs = [
            Buffer.from_numpy(np.ascontiguousarray(array)).to(self.device)
            for array in arrays
        ]
        logits, *new = self._model(*inputs, *cache.past())
        cache.append(length, new)
        return logits.to_numpy()


class WholeTextEngine:
    """Runs a model on the whole text for every token, as step 14 does.

    Args:
        config: the model's sizes.
    """

    def __init__(self, config: GPT2Config) -> None:
        self.config = config
        self._text = np.empty([0, 0], dtype=np.int64)

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Returns the model's logits ``[B, T, V]`` for ids ``[B, T]``."""
        raise NotImplementedError

    def prefill(self, ids: np.ndarray) -> np.ndarray:
        """Starts new texts with ids ``[B, T]``; returns the next logits ``[B, V]``.

        Raises:
            ValueError: there are no ids, too many, or ids outside the vocabulary.
        """
        return self.continue_from(0, ids, 1)[:, 0]

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """Appends one token of ids ``[B]`` to every row; returns logits ``[B, V]``.

        Raises:
            ValueError: the text is full, or ``ids`` has another batch size.
        """
        if len(ids) != len(self._text):
            raise ValueError(f"there is no text of {len(ids)} rows to continue")
        return self.continue_from(self._text.shape[1], ids[:, None], 1)[:, 0]

    def continue_from(self, length: int, ids: np.ndarray, count: int) -> np.ndarray:
        """Does what ``Engine.continue_from`` does."""
        check_ids(ids, length, self.config)
        kept = self._text[:, :length] if length else ids[:, :0]
        self._text = np.concatenate([kept, ids], axis=1)
        return self.logits(self._text)[:, -count:]

    def select(self, rows: Sequence[int]) -> None:
        """Keeps only these rows of the batch, in this order; rows may repeat."""
        self._text = self._text[list(rows)]


class RecomputingEngine(WholeTextEngine):
    """Runs a compiled GPT-2 on the whole text for every token.

    On an accelerator, MAX's own operations round more than ``Engine`` does there.

    Args:
        config, weights, on_compile: as for ``Engine``.
        model_class: ``MaxGPT2LMHeadModel`` from ``solutions`` or from ``steps``.
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
        super().__init__(config)
        self.device = open_device(device)
        from gpt2.engine.compiling import compile_plain_model  # takes a second

        about = seconds_to_compile(config, on_cpu=self.device.is_host)
        with announced(about, on_compile):
            compiled = compile_plain_model(model_class, config, weights, self.device)
        self._model = compiled.engine_model

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Returns the model's logits ``[B, T, V]`` for ids ``[B, T]``."""
        (logits,) = self._model(Buffer.from_numpy(ids).to(self.device))
        return logits.to_numpy()
