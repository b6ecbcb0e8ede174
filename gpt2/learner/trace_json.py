"""Writes traces as objects for the page "Inside".

Shapes: T tokens, C channels, V vocabulary.
"""

from base64 import b64encode
from collections.abc import Sequence
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
# Why the page shows the reference's numbers in the place of the learner's.
HIDDEN = "Not visible from outside in your code: {}. The reference's are shown."
MISFIT = "Of another shape in your code: {}. The reference's are shown."
NOT_REACHED = "Your model does not get here. The reference's numbers are shown."
Json = dict[str, Any]
Arrays = dict[str, np.ndarray]


def as_json(trace: Trace, checkpoint: Checkpoint) -> Json:
    """Returns a trace with its arrays, and the next token that each block guesses."""
    return described(trace, checkpoint, arrays(trace, checkpoint))


def mine_as_json(trace: Trace, reference: Trace, checkpoint: Checkpoint) -> Json:
    """Returns a learner's trace without the arrays that equal the reference's.

    Where an array is missing, the page takes the reference's.
    """
    right, own = arrays(reference, checkpoint), arrays(trace, checkpoint)
    fitting = {n: x for n, x in own.items() if n in right and x.shape == right[n].shape}
    other = {n: x for n, x in fitting.items() if not np.array_equal(x, right[n])}
    shown = Trace(trace.ids, {**reference.values, **fitting})  # for the guesses
    return described(shown, checkpoint, other)


def described(trace: Trace, checkpoint: Checkpoint, shown: Arrays) -> Json:
    """Returns a trace with some of its arrays."""
    config = checkpoint.config
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
        "arrays": {name: packed(array) for name, array in shown.items()},
        "guesses": [guesses(x, checkpoint) for x in streams(trace, checkpoint)],
    }


def arrays(trace: Trace, checkpoint: Checkpoint) -> Arrays:
    """Returns the stages' arrays and the normalizations' vectors."""
    names = [p.name for p in points(checkpoint.config.n_layer) if p.is_stage]
    found = {name: trace.array(name) for name in names}
    vectors = {
        name.removeprefix("transformer."): weight
        for name, weight in checkpoint.weights.items()
        if ".ln_" in name
    }
    return {name: x for name, x in found.items() if x is not None} | vectors


def unseen(trace: Trace, reference: Trace, checkpoint: Checkpoint) -> dict[str, str]:
    """Says of each stage why the trace has no numbers of it that fit."""
    right, own = arrays(reference, checkpoint), arrays(trace, checkpoint)
    stages = [p for p in points(checkpoint.config.n_layer) if p.name in right]
    last = max((i for i, p in enumerate(stages) if p.name in own), default=-1)
    found = {}
    for i, point in enumerate(stages):
        if point.name not in own:
            why = NOT_REACHED if trace.error and i > last else HIDDEN
            found[point.name] = why.format(point.what)
        elif own[point.name].shape != right[point.name].shape:
            found[point.name] = MISFIT.format(point.what)
    return found


def packed(array: np.ndarray) -> Json:
    """Returns an array's shape, and its numbers as float32 in base64, little-endian."""
    numbers = np.ascontiguousarray(array, dtype="<f4")
    return {
        "shape": list(numbers.shape),
        "values": b64encode(numbers.tobytes()).decode(),
    }


def streams(trace: Trace, checkpoint: Checkpoint) -> list[np.ndarray]:
    """Returns the stream ``[T, C]`` after the embeddings and after each block."""
    layers = range(checkpoint.config.n_layer)
    names = ["h.0.in", *(f"h.{layer}.out" for layer in layers)]
    found = [trace.array(name) for name in names]
    return [array for array in found if array is not None]


def guesses(stream: np.ndarray, checkpoint: Checkpoint) -> list[list[Json]]:
    """Returns the likeliest next tokens for each row of a stream ``[T, C]``.

    The last normalization and the head read the stream as it is: nostalgebraist 2020,
    "interpreting GPT: the logit lens".
    """
    weights, eps = checkpoint.weights, checkpoint.config.layer_norm_epsilon
    with np.errstate(all="ignore"):  # a learner's numbers may be infinite
        centered = stream - stream.mean(axis=-1, keepdims=True)
        normed = centered / np.sqrt((centered**2).mean(axis=-1, keepdims=True) + eps)
        ends = ("weight", "bias")
        scale, shift = (weights[f"transformer.ln_f.{end}"] for end in ends)
        logits = (normed * scale + shift) @ weights["transformer.wte.weight"].T
        p = np.exp(logits - logits.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
    return [likeliest(row, checkpoint) for row in p]


def likeliest(p: np.ndarray, checkpoint: Checkpoint) -> list[Json]:
    """Returns the likeliest tokens of probabilities ``[V]``; nothing of NaN."""
    if not np.isfinite(p).all():
        return [{"id": -1, "token": "NaN", "p": 0.0}] * GUESSES
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
