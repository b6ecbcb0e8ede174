"""The peer: Hugging Face's GPT-2 on torch, driven line by line through stdin.

Runs in its own interpreter with torch and transformers (Python 3.11), which share
nothing with this course but the weights. ``benchmarks.decode`` starts it.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
import transformers


def load(folder: Path) -> transformers.GPT2LMHeadModel:
    """The model whose weights lie in ``folder``, linear layers ``[out, in]``."""
    sizes = json.loads((folder / "config.json").read_text())
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
def decode(model, prompt: list[int], count: int) -> dict:
    """Greedily appends ``count`` tokens: their ids, and the seconds each one took."""
    output = model(torch.tensor([prompt]), use_cache=True)
    ids, seconds = [int(output.logits[0, -1].argmax())], []
    for _ in range(count - 1):
        start = time.perf_counter()
        output = model(
            torch.tensor([ids[-1:]]),
            past_key_values=output.past_key_values,
            use_cache=True,
        )
        ids.append(int(output.logits[0, -1].argmax()))
        seconds.append(time.perf_counter() - start)
    return {"ids": ids, "seconds": seconds}


def main() -> None:
    model = load(Path(sys.argv[1]))
    torch.set_num_threads(int(sys.argv[2]))
    name = f"transformers {transformers.__version__}, torch {torch.__version__}"
    print(json.dumps({"name": name}), flush=True)
    for line in sys.stdin:
        print(json.dumps(decode(model, **json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
