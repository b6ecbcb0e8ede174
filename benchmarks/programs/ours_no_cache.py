"""Step 13's model, compiled, which reads the whole text for every token."""

from importlib.metadata import version

import numpy as np

from benchmarks.programs.answering import (
    answer,
    arguments,
    load,
    note,
    sizes,
    timed_loop,
)
from gpt2.engine.engines import RecomputingEngine
from solutions.solution_01 import GPT2Config
from solutions.solution_13 import MaxGPT2LMHeadModel


def main() -> None:
    folder, _, _ = arguments()
    config = GPT2Config(**sizes(folder))
    ours = RecomputingEngine(config, load(folder), MaxGPT2LMHeadModel, on_compile=note)

    def decode(prompt: np.ndarray, count: int, room: int) -> dict:
        return timed_loop(lambda: ours.prefill(prompt), ours.decode, count)

    answer(f"MAX {version('max')}", decode)


if __name__ == "__main__":
    main()
