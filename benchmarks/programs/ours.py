"""Our engine with its key-value cache."""

from importlib.metadata import version
from typing import cast

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
from gpt2.engine.precision import Precision
from solutions.solution_01 import GPT2Config


def main() -> None:
    folder, precision, _ = arguments()
    config = GPT2Config(**sizes(folder))
    ours = Engine(
        config, load(folder), precision=cast(Precision, precision), on_compile=note
    )

    def decode(prompt: np.ndarray, count: int, room: int) -> dict:
        return timed_loop(lambda: ours.prefill(prompt), ours.decode, count)

    answer(f"MAX {version('max')}", decode)


if __name__ == "__main__":
    main()
