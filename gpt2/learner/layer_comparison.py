"""Compares a learner's model with the reference, layer by layer.

Both models have the same weights. Every layer of the learner's model gets the
reference's input, so that a mistake in one layer does not affect later layers.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

import numpy as np

from gpt2.checkpoint.loading import Checkpoint
from gpt2.learner.step_errors import blame_steps
from runtime.defaults import one_graph

PROMPT = "Once upon a time, there was a little girl"
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Comparison:
    """The results of one layer in both models, for the same input.

    Attributes:
        place: the layer's name in the checkpoint, such as ``h.0.attn``.
        step: the number of the step that builds the layer.
        difference: the largest absolute difference between the results.
    """

    place: str
    step: int
    difference: float

    @property
    def equal(self) -> bool:
        return self.difference <= TOLERANCE


class Pair:
    """The learner's model and the reference, with the same weights.

    ``gpt2.learner.borrowing.borrow`` decides whose each step of ``steps`` is.

    Args:
        checkpoint: sizes and weights.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        with blame_steps():
            self.mine = build("steps.step", checkpoint)
        self.reference = build("solutions.solution", checkpoint)

    def run(self, place: str, step: int, *inputs: Any) -> tuple[Comparison, Any]:
        """Runs both layers at ``place``; also returns the reference's result."""
        with one_graph():
            expected = find(self.reference, place)(*inputs)
        with blame_steps():
            with one_graph():
                result = find(self.mine, place)(*inputs)
            got = result.to_numpy()
        return Comparison(place, step, distance(got, expected.to_numpy())), expected


def build(package: str, checkpoint: Checkpoint) -> Any:
    """Builds a model from ``steps`` or ``solutions`` and loads the weights."""
    config = import_module(f"{package}_01").GPT2Config(**asdict(checkpoint.config))
    with one_graph():  # otherwise each layer draws random weights
        model = import_module(f"{package}_13").MaxGPT2LMHeadModel(config)
    model.load_state_dict(checkpoint.weights)
    return model


def find(model: Any, place: str) -> Callable[..., Any]:
    """Returns the layer with a dotted name; a number in the name is an index."""
    for name in filter(None, place.split(".")):
        model = model[int(name)] if name.isdigit() else getattr(model, name)
    return model


def distance(got: np.ndarray, expected: np.ndarray) -> float:
    """Returns the largest difference; infinite for another shape or for NaN."""
    if got.shape != expected.shape or not np.isfinite(got).all():
        return np.inf
    return float(np.abs(got - expected).max())


def compare(pair: Pair, ids: np.ndarray, n_layer: int) -> Iterator[Comparison]:
    """Compares the models from the embeddings to the logits, on ids ``[1, T]``."""
    from max.experimental.tensor import Tensor

    input_ids = Tensor.from_dlpack(ids)
    positions = Tensor.from_dlpack(np.arange(ids.shape[1]))
    comparison, tokens = pair.run("transformer.wte", 5, input_ids)
    yield comparison
    comparison, places = pair.run("transformer.wpe", 6, positions)
    yield comparison
    x = tokens + places
    for layer in range(n_layer):
        comparisons, x = compare_block(pair, f"transformer.h.{layer}", x)
        yield from comparisons
    yield pair.run("transformer.ln_f", 3, x)[0]
    yield pair.run("transformer", 12, input_ids)[0]
    yield pair.run("", 13, input_ids)[0]


def compare_block(pair: Pair, block: str, x: Any) -> tuple[list[Comparison], Any]:
    """Compares one block's layers on ``x``; also returns the reference's result."""
    first, normalized = pair.run(f"{block}.ln_1", 3, x)
    second, attended = pair.run(f"{block}.attn", 9, normalized)
    third, normalized = pair.run(f"{block}.ln_2", 3, x + attended)
    fourth, _ = pair.run(f"{block}.mlp", 4, normalized)
    fifth, x = pair.run(block, 11, x)
    return [first, second, third, fourth, fifth], x
