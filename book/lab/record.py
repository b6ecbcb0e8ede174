"""Records the decoding lab's data: ``python -m book.lab.record [--check]``.

``recording.js`` has the greedy text after each opening. For each step it has the logits
of the likeliest tokens, and one number for all others. It also has the tokenizer, the
patterns and the places of the experiments.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from book import play
from book.lab.packing import (
    DATA,
    as_script,
    pack_array,
    read_script,
    unpack_array,
)
from book.lab.patterns import patterns
from book.lab.scenes import find_scenes
from book.pages import BookError
from book.recorder import Made, Recorder
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
RECORDED = 45  # tokens of each step


def record_path(text: str) -> dict[str, Any]:
    """Writes ``STEPS`` tokens greedily; ``logits`` is ``[STEPS + 1, V]``."""
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
    """The first tokens by id, and the merges in the order of training.

    All later tokens are those that the merges make, in the same order.

    Raises:
        BookError: the vocabulary has another order.
    """
    file = EMBEDDED["tiny-stories"] / "tokenizer.json"
    bpe = json.loads(file.read_text(encoding="utf-8"))["model"]
    pairs = [m if isinstance(m, str) else " ".join(m) for m in bpe["merges"]]
    vocabulary = sorted(bpe["vocab"], key=bpe["vocab"].get)
    made = [pair.replace(" ", "") for pair in pairs]
    symbols = vocabulary[: -len(made)]
    if symbols + made != vocabulary:
        raise BookError("the vocabulary does not have the order of the merges")
    return {"symbols": symbols, "merges": pairs}


def recording() -> dict[str, Any]:
    """The data that the lab shows before the model is loaded."""
    paths = [record_path(text) for text in OPENINGS]
    return tokenizer() | {
        "recorded": RECORDED,
        "endOfText": play.checkpoint().tokenizer.end_of_text_id,
        "openings": [pack_path(path) for path in paths],
        "scenes": find_scenes(paths),
        "patterns": patterns(),
    }


def recordings_agree(kept: str, fresh: str) -> bool:
    """True if two scripts hold the same recording, apart from rounding."""
    first, second = read_script(kept), read_script(fresh)
    openings = first.pop("openings"), second.pop("openings")
    pairs = zip(*openings, strict=True)
    return first == second and all(openings_agree(a, b) for a, b in pairs)


def openings_agree(kept: dict[str, Any], fresh: dict[str, Any]) -> bool:
    """True if two openings have the same tokens and nearly the same numbers."""
    same = all(kept[name] == fresh[name] for name in ("text", "prompt", "path"))
    (ids, logits, rest), (new_ids, new_logits, new_rest) = map(unpack, (kept, fresh))
    return (
        same
        and np.array_equal(ids, new_ids)
        and np.allclose(logits, new_logits, rtol=0, atol=1e-4)
        and np.allclose(rest, new_rest, rtol=0, atol=1e-6)
    )


def unpack(opening: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids and logits ``[STEPS + 1, RECORDED]`` ordered by id, and the rest.

    Rounding may change the order by logit, where logits are nearly equal.
    """
    ids = unpack_array(opening["ids"], "<u2").reshape(-1, RECORDED)
    logits = unpack_array(opening["logits"], "<f4").reshape(ids.shape)
    order = ids.argsort(axis=1)
    ids, logits = (np.take_along_axis(x, order, axis=1) for x in (ids, logits))
    return ids, logits, unpack_array(opening["rest"], "<f8")


def make(_: list[str]) -> Iterator[Made]:
    """Makes the page's script."""
    text = as_script("recording", recording())
    yield Made("recording", DATA / "recording.js", text, recordings_agree)


RECORDER = Recorder("book.lab.record", lambda: ["recording"], make)

if __name__ == "__main__":
    RECORDER.main()
