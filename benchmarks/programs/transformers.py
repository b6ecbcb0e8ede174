"""Hugging Face's GPT-2 on torch, eager or compiled.

Compiled, it does as ``generate`` with a static cache: torch compiles the model for
single tokens, and a prompt runs eagerly.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
import transformers

from benchmarks.programs import answering


def load(folder: Path, precision: str) -> transformers.GPT2LMHeadModel:
    """Loads the model from ``folder``, where linear layers are ``[out, in]``."""
    sizes = answering.sizes(folder) | {"bos_token_id": None, "eos_token_id": None}
    with torch.device("meta"):
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes))
    state = {}
    for name, array in answering.load(folder).items():
        if array.ndim == 2 and ".h." in name:
            array = np.ascontiguousarray(array.T)  # Conv1D stores [in, out]
        state[name] = torch.from_numpy(array).to(getattr(torch, precision))
    state["lm_head.weight"] = state["transformer.wte.weight"]
    model.load_state_dict(state, assign=True)
    return model.eval()


class Static:
    """Static caches, one for each shape."""

    def __init__(self, config: transformers.GPT2Config) -> None:
        self._config = config
        self._caches: dict[tuple[int, int], transformers.StaticCache] = {}

    def empty(self, rows: int, room: int) -> transformers.StaticCache:
        """An empty cache for texts of so many tokens."""
        if (rows, room) not in self._caches:
            cache = transformers.StaticCache(self._config, max_cache_len=room)
            self._caches[rows, room] = cache
        self._caches[rows, room].reset()
        return self._caches[rows, room]


def main() -> None:
    folder, precision, threads = answering.arguments()
    torch.set_num_threads(threads)
    model = load(folder, precision)
    static = Static(model.config) if "compiled" in sys.argv else None
    token = torch.compile(model, dynamic=False, fullgraph=True) if static else model

    @torch.inference_mode()
    def decode(prompt: np.ndarray, count: int, room: int) -> dict:
        past = static.empty(len(prompt), room) if static else None
        new, ids, seconds = torch.from_numpy(prompt), [], []
        for place in range(count):
            start = time.perf_counter()
            # generate() also calculates the logits of the last position alone.
            output = (token if place else model)(
                new, past_key_values=past, use_cache=True, logits_to_keep=1
            )
            past = output.past_key_values
            new = output.logits[:, -1].argmax(-1, keepdim=True)
            ids.append(new)
            seconds.append(time.perf_counter() - start)
        return {"ids": torch.cat(ids, 1).tolist(), "seconds": seconds}

    answering.answer(
        f"transformers {transformers.__version__}, torch {torch.__version__}", decode
    )


if __name__ == "__main__":
    main()
