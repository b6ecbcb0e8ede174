"""Records what the decoding lab shows: ``python -m book.lab.record``.

It writes two scripts: ``recording.js`` has, for each opening, the greedy text with the
200 likeliest tokens of every step and what the others weigh together; ``weights.js``
has the model itself, for every text that was not recorded.
"""

import json
from typing import Any

import numpy as np

from book import play
from book.lab.packing import DATA, pack_array, pack_matrix, write_script
from book.lab.scenes import find_scenes
from gpt2.checkpoint.loading import EMBEDDED
from solutions.encore_sampling import top_tokens

OPENINGS = [
    "The king had a big",
    "Once upon a time",
    "He opened the door and saw",
    "The cat sat on the",
    "Lily and Tom went to the park.",
    '"Can I have',
]
STEPS = 30
RECORDED = 200  # tokens of each step


def record_path(text: str) -> dict[str, Any]:
    """Takes the likeliest token ``STEPS`` times; ``logits`` is ``[STEPS + 1, V]``."""
    prompt = play.encode(text)
    ids, logits = list(prompt), []
    for _ in range(STEPS + 1):
        logits.append(play.logits(ids)[-1])
        ids.append(int(logits[-1].argmax()))
    path = ids[len(prompt) : -1]
    return {"text": text, "prompt": prompt, "path": path, "logits": np.array(logits)}


def pack_path(path: dict[str, Any]) -> dict[str, Any]:
    """Keeps each step's likeliest tokens, and log Σ exp of the others' logits."""
    ids = np.array([[i for i, _ in top_tokens(r, RECORDED)] for r in path["logits"]])
    others = path["logits"].copy()
    np.put_along_axis(others, ids, -np.inf, axis=1)
    logits = np.take_along_axis(path["logits"], ids, axis=1)
    return path | {
        "ids": pack_array(ids.astype(np.uint16)),  # [STEPS + 1, RECORDED]
        "logits": pack_array(logits.astype(np.float32)),
        "rest": pack_array(np.logaddexp.reduce(others, axis=1)),
    }


def tokenizer() -> dict[str, Any]:
    """The vocabulary in the order of its ids, and the merges in the order learnt."""
    file = EMBEDDED["tiny-stories"] / "tokenizer.json"
    bpe = json.loads(file.read_text(encoding="utf-8"))["model"]
    pairs = [m if isinstance(m, str) else " ".join(m) for m in bpe["merges"]]
    return {"vocabulary": sorted(bpe["vocab"], key=bpe["vocab"].get), "merges": pairs}


def recording() -> dict[str, Any]:
    """Everything that the lab shows before it has loaded the model."""
    paths = [record_path(text) for text in OPENINGS]
    return tokenizer() | {
        "recorded": RECORDED,
        "endOfText": play.checkpoint().tokenizer.end_of_text_id,
        "openings": [pack_path(path) for path in paths],
        "scenes": find_scenes(paths),
    }


def weights() -> dict[str, Any]:
    """The model: vectors in float32, matrices in 12 bits."""
    config = play.checkpoint().config
    return {
        "layers": config.n_layer,
        "heads": config.n_head,
        "positions": config.n_positions,
        "eps": config.layer_norm_epsilon,
        "tensors": {
            name: pack_matrix(w) if w.ndim == 2 else pack_array(w.astype(np.float32))
            for name, w in play.trained().items()
        },
    }


def main() -> None:
    """Writes both scripts and says how large they are."""
    for name, value in (("recording", recording()), ("weights", weights())):
        size = write_script(DATA / f"{name}.js", name, value)
        print(f"{name}.js: {size:,} bytes")


if __name__ == "__main__":
    main()
