"""How the checker of the KV cache calls the code under test; runs in the worker.

MAX is imported inside the functions: the grader's own process never needs it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


def with_past(module: Any, x: Any, key: Any, value: Any) -> Any:
    """Calls attention or a block with one layer's memory."""
    return module(x, (key, value))


def with_cache(model: Any, ids: Any, *memories: Any) -> Any:
    """Calls a model with a cache, given as key, value, key, value and so on."""
    return model(ids, list(zip(memories[::2], memories[1::2], strict=True)))


def in_parts(module: Any, *parts: Any) -> tuple[list[Any], Any]:
    """Calls it for each part of a text with what the parts before left behind.

    Returns:
        Every part's result, and what the last one leaves behind.
    """
    results, memory = [], None
    for part in parts:
        result, memory = pair(module(part, memory))
        results.append(result)
    return results, memory


def continued(model: Any, prompt: Any, *continuations: Any) -> list[Any]:
    """Reads a prompt once, and each continuation with the cache of that prompt."""
    _, cache = pair(model(prompt, None))
    return [pair(model(ids, cache))[0] for ids in continuations]


def pair(value: Any) -> Any:
    """Requires two things, the numbers and the memory."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError("the result has to be a pair: the numbers, and the memory")
    return value


@dataclass
class CachedTableModel:
    """A model with a cache, whose logits depend on the last token alone, by a table.

    Attributes:
        table: ``[V, V]``, the logits after each token.
        seen: for every call, how many tokens the cache held, and the ids.
    """

    table: np.ndarray
    seen: list[tuple[int, list[list[int]]]] = field(default_factory=list)

    def __call__(self, input_ids: Any, cache: Any = None) -> Any:
        """Ids ``[B, T]`` and a cache to logits ``[B, T, V]`` and the cache after it."""
        from max.experimental.tensor import Tensor

        ids = input_ids.to_numpy()
        earlier = 0 if cache is None else int(cache[0][0].shape[-2])
        self.seen.append((earlier, ids.tolist()))
        memory = np.zeros([len(ids), 1, earlier + ids.shape[1], 1], np.float32)
        after = [(Tensor.from_dlpack(memory), Tensor.from_dlpack(memory.copy()))]
        return Tensor.from_dlpack(self.table[ids]), after
