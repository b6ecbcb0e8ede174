"""A peer: Hugging Face's GPT-2 on torch, which reads commands from stdin.

``benchmarks.decode`` starts this file in a separate interpreter (Python 3.11) with
torch and transformers. The weights are all that it shares with the course.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
import transformers


def load(folder: Path) -> transformers.GPT2LMHeadModel:
    """Loads the model from ``folder``, where linear layers are ``[out, in]``."""
    sizes = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = transformers.GPT2Config(**sizes)
    with torch.device("meta"):
        model = transformers.GPT2LMHeadModel(config)
    state = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    for name, array in state.items():
        if array.ndim == 2 and ".h." in name:
            array = np.ascontiguousarray(array.T)  # Conv1D stores [in, out]
        state[name] = torch.from_numpy(array)
    state["lm_head.weight"] = state["transformer.wte.weight"]
    model.load_state_dict(state, assign=True)
    return model.eval()


@torch.inference_mode()
def decode(model, prompt: list[list[int]], count: int) -> dict:
    """Writes ``count`` tokens greedily after each row; returns ids and seconds."""
    new, past, ids, seconds = torch.tensor(prompt), None, [], []
    for _ in range(count):
        start = time.perf_counter()
        # generate() also calculates the logits of the last position alone.
        output = model(new, past_key_values=past, use_cache=True, logits_to_keep=1)
        new, past = (
            output.logits[:, -1].argmax(-1, keepdim=True),
            output.past_key_values,
        )
        ids.append(new)
        seconds.append(time.perf_counter() - start)
    return {"ids": torch.cat(ids, 1).tolist(), "seconds": seconds}


def main() -> None:
    model = load(Path(sys.argv[1]))
    torch.set_num_threads(int(sys.argv[2]))
    versions = f"transformers {transformers.__version__}, torch {torch.__version__}"
    name = f"{versions}, eager"
    print(json.dumps({"name": name}), flush=True)
    for line in sys.stdin:
        print(json.dumps(decode(model, **json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
