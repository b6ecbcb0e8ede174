"""Records the running sentence's way through the model.

``python -m book.lab.sentence`` writes what pages show before the weights are loaded.
The recording has what weights make: the embeddings' rows, every product and the logits.
``book/src/lab/inside-trace.js`` computes all else from them.
Shapes: T tokens, C channels, V vocabulary.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from book import play
from book.inside import Layer, look_inside, norm, streams
from book.lab.packing import DATA, as_script, pack_array, read_script, unpack_array
from book.recorder import Made, Recorder
from tests.oracle import model as oracle

SENTENCE = "Tom has a dog."
GUESSES = 5
FINEST = 2**15 - 1


def pack_rows(matrix: np.ndarray) -> dict[str, str]:
    """A matrix ``[N, M]`` in 16 bits; the largest number of a row sets its scale."""
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / FINEST
    values = np.rint(matrix / scale[:, None]).astype(np.int16)
    return {"scale": pack_array(scale.astype(np.float32)), "values": pack_array(values)}


def unpack_rows(packed: dict[str, str]) -> np.ndarray:
    """Reads the result of ``pack_rows`` as ``[N, M]``."""
    scale = unpack_array(packed["scale"], "<f4")
    return (
        unpack_array(packed["values"], "<i2").reshape(len(scale), -1) * scale[:, None]
    )


def products(layers: list[Layer]) -> dict[str, np.ndarray]:
    """The results of all products with weights, by the names of the weights."""
    found = {}
    for number, layer in enumerate(layers):
        at, state = f"h.{number}.", play.trained()
        joined = [*layer.query, *layer.key, *layer.value]
        normed = norm(layer.stream + layer.attended, state, f"{at}ln_2")
        found[f"{at}attn.c_attn"] = np.concatenate(joined, axis=-1)
        found[f"{at}attn.c_proj"] = layer.attended
        found[f"{at}mlp.c_fc"] = oracle.linear(normed, state, f"{at}mlp.c_fc")
        found[f"{at}mlp.c_proj"] = layer.fed
    return found


def guesses(
    stream: np.ndarray, weights: play.Weights | None = None
) -> list[list[dict[str, Any]]]:
    """For each token of a stream ``[T, C]``, what would come next if it were the last.

    The last normalization and the head read a stream that they were not trained for,
    except the last: nostalgebraist 2020, "interpreting GPT: the logit lens".
    """
    state = weights or play.trained()
    logits = norm(stream, state, "ln_f") @ state["wte.weight"].T
    return [likeliest(row) for row in oracle.softmax(logits)]


def likeliest(p: np.ndarray) -> list[dict[str, Any]]:
    """The likeliest tokens of probabilities ``[V]``."""
    best = np.argsort(-p, kind="stable")[:GUESSES]
    token = play.checkpoint().tokenizer.token
    return [
        {"id": int(i), "token": token(int(i)), "p": round(float(p[i]), 6)} for i in best
    ]


def recording(text: str = SENTENCE) -> dict[str, Any]:
    """The whole data of the pages."""
    config, state, ids = play.checkpoint().config, play.trained(), play.encode(text)
    rows = {"wte": state["wte.weight"][ids], "wpe": state["wpe.weight"][: len(ids)]}
    vectors = {name: x for name, x in state.items() if "ln_" in name}
    return {
        "sizes": {
            "layers": config.n_layer,
            "heads": config.n_head,
            "channels": config.n_embd,
            "inner": len(state["h.0.mlp.c_fc.bias"]),
            "vocabulary": config.vocab_size,
            "eps": config.layer_norm_epsilon,
        },
        "tokens": play.tokens(text),
        "ids": ids,
        "embeddings": {name: pack_rows(x) for name, x in rows.items()},
        "products": {n: pack_rows(x) for n, x in products(look_inside(text)).items()},
        "vectors": {n: pack_rows(x[None]) for n, x in vectors.items()},
        "logits": pack_rows(play.logits(ids)[-1:]),
        "guesses": [guesses(stream) for stream in streams(text)],
    }


def recordings_agree(kept: str, fresh: str) -> bool:
    """True if two scripts hold the same recording, apart from rounding."""
    return agree(read_script(kept), read_script(fresh))


def agree(a: Any, b: Any) -> bool:
    """True if two values of a recording are equal, apart from rounding."""
    if isinstance(a, dict) and "scale" in a:
        a, b = unpack_rows(a), unpack_rows(b)
        near = 2 * np.abs(a).max(axis=1, keepdims=True) / FINEST
        return a.shape == b.shape and bool((np.abs(a - b) <= near).all())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(agree(a[name], b[name]) for name in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(agree, a, b))
    return bool(np.isclose(a, b, rtol=0, atol=2e-6)) if isinstance(a, float) else a == b


def make(_: list[str]) -> Iterator[Made]:
    """Makes the pages' script."""
    text = as_script("sentence", recording())
    yield Made("sentence", DATA / "sentence.js", text, recordings_agree)


RECORDER = Recorder("book.lab.sentence", lambda: ["sentence"], make)

if __name__ == "__main__":
    RECORDER.main()
