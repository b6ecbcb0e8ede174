"""Plain NumPy, which reads the whole text for every token. It continues one text."""

import numpy as np

from benchmarks.programs import numpy_gpt2
from benchmarks.programs.answering import answer, arguments, load, sizes, timed_loop


def main() -> None:
    folder, _, _ = arguments()
    config, weights = sizes(folder), load(folder)

    def decode(prompt: np.ndarray, count: int, room: int) -> dict:
        (text,) = prompt.tolist()

        def logits(new: np.ndarray | tuple = ()) -> np.ndarray:
            text.extend(new)
            layers, heads = config["n_layer"], config["n_head"]
            return numpy_gpt2.logits(text, weights, layers, heads)[None]

        return timed_loop(logits, logits, count)

    answer(f"NumPy {np.__version__}", decode)


if __name__ == "__main__":
    main()
