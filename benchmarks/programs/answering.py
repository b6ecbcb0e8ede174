"""What all programs share: the weights, and the talk with ``benchmarks.decode``.

The talk is JSON, one object a line. A program first tells its versions. Then each
request asks for a greedy continuation, and gets ids and seconds or an error. Notes may
come before any answer. Shapes: B texts, T tokens, V vocabulary.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Decode = Callable[[np.ndarray, int, int], dict]
_lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # what a library prints is no answer


def tell(**content: object) -> None:
    """Sends one object."""
    print(json.dumps(content), file=_lines, flush=True)


def note(text: str) -> None:
    """Sends a sentence for the terminal."""
    tell(note=text)


def answer(versions: str, decode: Decode) -> None:
    """Answers requests until there are no more.

    Args:
        versions: the libraries that compute, and their versions.
        decode: gets ids ``[B, T]``, a number of tokens, and how many tokens each text
            may need; returns lists: ``ids`` ``[B, count]`` and ``seconds`` ``[count]``.
    """
    tell(versions=versions)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            prompt = np.array(request["prompt"])
            tell(**decode(prompt, request["count"], request["room"]))
        except Exception as error:
            tell(error=" ".join(str(error).split()) or type(error).__name__)


def timed_loop(
    first: Callable[[], np.ndarray],
    following: Callable[[np.ndarray], np.ndarray],
    count: int,
) -> dict:
    """Times ``count`` tokens. Both functions return logits ``[B, V]``."""
    ids: list[np.ndarray] = []
    seconds = []
    for place in range(count):
        start = time.perf_counter()
        logits = following(ids[-1]) if place else first()
        ids.append(logits.argmax(axis=-1))
        seconds.append(time.perf_counter() - start)
    return {"ids": np.stack(ids, axis=1).tolist(), "seconds": seconds}


def arguments() -> tuple[Path, str, int]:
    """The folder with the weights, the precision and the number of threads."""
    folder, precision, threads = sys.argv[1:4]
    return Path(folder), precision, int(threads)


def sizes(folder: Path) -> dict:
    """The model's sizes, under the names of transformers."""
    return json.loads((folder / "config.json").read_text(encoding="utf-8"))


def load(folder: Path) -> dict[str, np.ndarray]:
    """The float32 weights; those of linear layers are ``[out, in]``."""
    return {path.stem: np.load(path) for path in folder.glob("*.npy")}
