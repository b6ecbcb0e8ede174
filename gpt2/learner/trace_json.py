"""Writes traces as objects for the page "Inside".

Shapes: T tokens, C channels, V vocabulary.
"""

from base64 import b64encode
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from course.registry import load_registry
from gpt2.checkpoint.loading import Checkpoint
from gpt2.learner.borrowing import Borrowed
from gpt2.learner.stages import points
from gpt2.learner.trace_comparison import Difference
from gpt2.learner.tracing import Trace

FORMAT = 1
GUESSES = 5
Json = dict[str, Any]


def as_json(
    trace: Trace, checkpoint: Checkpoint, without: Collection[str] = ()
) -> Json:
    """Returns a trace with its arrays, and the next token that each block would guess.

    An array that the code does not show from outside is missing. So are the arrays
    ``without``, which the page has already.
    """
    config = checkpoint.config
    shown = arrays(trace, checkpoint).items()
    return {
        "format": FORMAT,
        "sizes": {
            "layers": config.n_layer,
            "heads": config.n_head,
            "channels": config.n_embd,
            "inner": config.n_inner,
            "vocabulary": config.vocab_size,
            "eps": config.layer_norm_epsilon,
        },
        "tokens": [checkpoint.tokenizer.name(token) for token in trace.ids],
        "ids": list(trace.ids),
        "arrays": {n: packed(array) for n, array in shown if n not in without},
        "guesses": [guesses(x, checkpoint) for x in streams(trace, checkpoint)],
    }


def arrays(trace: Trace, checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """Returns the stages' arrays and the normalizations' vectors."""
    names = [p.name for p in points(checkpoint.config.n_layer) if p.is_stage]
    found = {name: trace.array(name) for name in names}
    vectors = {
        name.removeprefix("transformer."): weight
        for name, weight in checkpoint.weights.items()
        if ".ln_" in name
    }
    return {name: x for name, x in found.items() if x is not None} | vectors


def same(trace: Trace, reference: Trace, checkpoint: Checkpoint) -> list[str]:
    """Returns the names of the arrays with the same numbers in both traces."""
    mine, right = (arrays(each, checkpoint) for each in (trace, reference))
    return [n for n, x in mine.items() if n in right and np.array_equal(x, right[n])]


def packed(array: np.ndarray) -> Json:
    """Returns an array's shape, and its numbers as float32 in base64, little-endian."""
    numbers = np.ascontiguousarray(array, dtype="<f4")
    return {
        "shape": list(numbers.shape),
        "values": b64encode(numbers.tobytes()).decode(),
    }


def streams(trace: Trace, checkpoint: Checkpoint) -> list[np.ndarray | None]:
    """Returns the stream ``[T, C]`` after the embeddings and after each block."""
    layers = range(checkpoint.config.n_layer)
    names = ["h.0.in", *(f"h.{layer}.out" for layer in layers)]
    shape = (len(trace.ids), checkpoint.config.n_embd)
    found = [trace.array(name) for name in names]
    return [x if x is not None and x.shape == shape else None for x in found]


def guesses(stream: np.ndarray | None, checkpoint: Checkpoint) -> list[list[Json]]:
    """Returns the likeliest next tokens for each row of a stream ``[T, C]``.

    The last normalization and the head read the stream as it is: nostalgebraist 2020,
    "interpreting GPT: the logit lens". Without finite numbers there is no guess.
    """
    if stream is None or not np.isfinite(stream).all():
        return []
    weights, eps = checkpoint.weights, checkpoint.config.layer_norm_epsilon
    centered = stream - stream.mean(axis=-1, keepdims=True)
    normed = centered / np.sqrt((centered**2).mean(axis=-1, keepdims=True) + eps)
    scale, shift = (weights[f"transformer.ln_f.{part}"] for part in ("weight", "bias"))
    logits = (normed * scale + shift) @ weights["transformer.wte.weight"].T
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return [likeliest(row, checkpoint) for row in p / p.sum(axis=-1, keepdims=True)]


def likeliest(p: np.ndarray, checkpoint: Checkpoint) -> list[Json]:
    """Returns the likeliest tokens of probabilities ``[V]``."""
    best = np.argsort(-p, kind="stable")[:GUESSES]
    name = checkpoint.tokenizer.name
    return [{"id": int(i), "token": name(int(i)), "p": float(p[i])} for i in best]


def differences_as_json(differences: Sequence[Difference]) -> list[Json]:
    """Returns the differences with the first wrong numbers of each."""
    return [
        {
            "stage": each.stage,
            "step": each.step,
            "cells": [
                {"at": list(cell.at), "expected": cell.expected, "got": cell.got}
                for cell in each.fault.cells
            ],
            "count": each.fault.count,
            "sentence": each.sentence,
            "follows": each.follows,
        }
        for each in differences
    ]


def whose(borrowed: Borrowed) -> dict[str, str]:
    """Says of each step whether it is the learner's."""
    steps = [exercise for exercise in load_registry() if exercise.is_step]
    return {e.short: "yours" if e.key in borrowed.own else "borrowed" for e in steps}
