"""The embedded model in NumPy: for the book's figures, and for trying things on it.

    from book import tiny
    tiny.write("Once upon a time")

It is the same arithmetic that the checks trust (``tests/oracle.py``), slow but open:
``with tiny.instead("gelu", np.tanh): …`` puts another function into the model.
"""

import sys
from dataclasses import replace
from functools import cache, partial
from unittest.mock import patch

import numpy as np

from course.registry import ROOT
from gpt2.checkpoints import Checkpoint, load_checkpoint

if (tests := str(ROOT / "tests")) not in sys.path:
    sys.path.append(tests)

import oracle

# Written for this book: no model was trained on it.
STORY = """\
Anna had a little red boat. One day, she put the boat in the water. "Look, Mom!" she \
said. But the wind was very strong, and the boat went far away. Anna was sad. A big \
duck saw the boat and swam to it. The duck pushed the boat back to Anna. "Thank you, \
duck!" she said. Anna gave the duck some bread, and they played together all day."""

instead = partial(patch.object, oracle)  # ("gelu", function): until the with ends


@cache
def checkpoint() -> Checkpoint:
    """The embedded model: ``config``, ``weights`` and ``tokenizer``."""
    return load_checkpoint("tiny-stories")


def state() -> dict[str, np.ndarray]:
    """A fresh copy of the parameters, by their names in the model's body."""
    weights = checkpoint().weights.items()
    return {name.removeprefix("transformer."): w.copy() for name, w in weights}


def encode(text: str) -> np.ndarray:
    """Ids ``[1, T]``."""
    return np.array([checkpoint().tokenizer.encode(text)])


def tokens(text: str) -> list[str]:
    """The pieces that the tokenizer cuts a text into."""
    tokenizer = checkpoint().tokenizer
    return [tokenizer.token(number) for number in tokenizer.encode(text)]


def logits(
    ids: np.ndarray, weights: dict[str, np.ndarray] | None = None, **sizes: float
) -> np.ndarray:
    """Ids ``[B, T]`` to ``[B, T, V]``, in float64.

    Args:
        weights: in place of the model's own.
        sizes: fields of the configuration to replace, such as ``n_head=2``.
    """
    config = replace(checkpoint().config, **sizes)  # type: ignore[arg-type]
    return oracle.logits(
        ids,
        checkpoint().weights if weights is None else weights,
        config.n_layer,
        config.n_head,
        config.layer_norm_epsilon,
    )


def write(prompt: str, count: int = 24, **changes: object) -> str:
    """The prompt and ``count`` more tokens, the likeliest one each time."""
    ids = encode(prompt)
    for _ in range(count):
        chosen = logits(ids, **changes)[:, -1:].argmax(axis=-1)
        ids = np.concatenate([ids, chosen], axis=1)
    return checkpoint().tokenizer.decode(ids[0].tolist())


def loss(text: str = STORY, **changes: object) -> float:
    """How surprised the model is by a text: nats per token, less is better."""
    ids = encode(text)
    shares = oracle.softmax(logits(ids[:, :-1], **changes)[0])
    return float(-np.log(shares[np.arange(len(shares)), ids[0, 1:]]).mean())
