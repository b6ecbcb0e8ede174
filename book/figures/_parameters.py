"""Counts the parameters of a GPT-2 and its parts."""

from math import prod

from gpt2.checkpoint.weights import parameter_shapes
from solutions.solution_01 import GPT2Config


def parameters(config: GPT2Config, piece: str = "") -> int:
    """The number of parameters of a part such as ``h.0.mlp``, or of the whole model."""
    prefix = f"transformer.{piece}".rstrip(".") + "."
    shapes = parameter_shapes(config)
    return sum(prod(s) for name, s in shapes.items() if name.startswith(prefix))
