"""Python's trace of a text, for the tests of the page Inside."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from book import play
from book.inside import Layer, look_inside, norm
from book.lab.packing import MOST, pack_array
from book.lab.sentence import guesses
from tests.oracle import model as oracle

Arrays = dict[str, np.ndarray]


def rounded_weights() -> dict[str, np.ndarray]:
    """The embedded model's weights as the page has them: matrices in 7.5 bits."""
    return {n: rounded(w) if w.ndim == 2 else w for n, w in play.trained().items()}


def rounded(matrix: np.ndarray) -> np.ndarray:
    """A matrix after ``pack_matrix`` and ``lab.unpack.matrix``."""
    scale = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / MOST
    return (np.rint(matrix / scale) * scale.astype(np.float32)).astype(np.float32)


def arrays(text: str, state: Mapping[str, np.ndarray]) -> Arrays:
    """Every intermediate result for a text, by the names of the trace."""
    ids = play.encode(text)
    found = {"wte": state["wte.weight"][ids], "wpe": state["wpe.weight"][: len(ids)]}
    for number, layer in enumerate(look_inside(text, state)):
        found |= {f"h.{number}.{n}": x for n, x in block(number, layer, state).items()}
        out = layer.stream + layer.attended + layer.fed
    found["ln_f"] = norm(out, state, "ln_f")
    found["logits"] = (found["ln_f"] @ state["wte.weight"].T)[-1:]
    return found | {name: x for name, x in state.items() if "ln_" in name}


def block(number: int, layer: Layer, state: Mapping[str, np.ndarray]) -> Arrays:
    """One block's results. ``masked`` is the page's own."""
    at, length = f"h.{number}.", len(layer.stream)
    scores = layer.query @ layer.key.swapaxes(-1, -2) / np.sqrt(layer.query.shape[-1])
    middle = layer.stream + layer.attended
    normed = norm(middle, state, f"{at}ln_2")
    hidden = oracle.linear(normed, state, f"{at}mlp.c_fc")
    return {
        "in": layer.stream,
        "ln_1": layer.normed,
        "query": np.concatenate(list(layer.query), axis=-1),
        "key": np.concatenate(list(layer.key), axis=-1),
        "value": np.concatenate(list(layer.value), axis=-1),
        "scores": scores,
        "masked": scores + oracle.causal_mask(length),
        "shares": layer.shares,
        "mixed": np.concatenate(list(layer.shares @ layer.value), axis=-1),
        "attn": layer.attended,
        "mid": middle,
        "ln_2": normed,
        "hidden": hidden,
        "active": oracle.gelu(hidden),
        "mlp": layer.fed,
        "out": middle + layer.fed,
    }


def sent(text: str, found: Arrays) -> dict[str, Any]:
    """A trace as Python sends it to the page."""
    config, size = play.checkpoint().config, len(play.encode(text))
    streams = [found["h.0.in"], *(found[f"h.{i}.out"] for i in range(config.n_layer))]
    kept = {name: x for name, x in found.items() if "masked" not in name}
    return {
        "format": 1,
        "sizes": {
            "layers": config.n_layer,
            "heads": config.n_head,
            "channels": config.n_embd,
            "inner": found["h.0.hidden"].shape[-1],
            "vocabulary": config.vocab_size,
            "eps": config.layer_norm_epsilon,
        },
        "tokens": play.tokens(text),
        "ids": play.encode(text),
        "arrays": {
            name: {"shape": list(x.shape), "values": pack_array(x.astype(np.float32))}
            for name, x in kept.items()
        },
        "guesses": [guesses(stream)[:size] for stream in streams],
    }
