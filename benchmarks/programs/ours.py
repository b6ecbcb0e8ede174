"""Our engine with its key-value cache."""

import inspect
from importlib.metadata import version
from typing import Any

import numpy as np

from benchmarks.programs.answering import (
    answer,
    arguments,
    load,
    note,
    sizes,
    timed_loop,
)
from gpt2.engine.engines import Engine
from solutions.solution_01 import GPT2Config


def engine(
    config: GPT2Config, weights: dict[str, np.ndarray], precision: str
) -> Engine:
    """Our engine with weights of this precision.

    Raises:
        SystemExit: the engine has no such weights.
    """
    options: dict[str, Any] = {"on_compile": note}
    if "precision" in inspect.signature(Engine).parameters:
        options["precision"] = precision
    elif precision != "float32":
        raise SystemExit("this version of the engine has only float32 weights")
    return Engine(config, weights, **options)


def main() -> None:
    folder, precision, _ = arguments()
    ours = engine(GPT2Config(**sizes(folder)), load(folder), precision)

    def decode(prompt: np.ndarray, count: int, room: int) -> dict:
        return timed_loop(lambda: ours.prefill(prompt), ours.decode, count)

    answer(f"MAX {version('max')}", decode)


if __name__ == "__main__":
    main()
