"""Runs the embedded model with a wrong version of one step, without a compile.

``book.mistake_runs`` calls ``run`` in a worker process: wrong code may crash Python or
never end.
"""

from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from book import held_out, play
from course.registry import as_step, find_exercise
from gpt2.learner.borrowing import borrow
from gpt2.learner.eager_engine import as_tensor, load_model, transposes_of
from runtime.direct.operations import direct_operations


class NoLogitsError(ValueError):
    """A model's result for ids ``[B, T]`` is not ``[B, T, V]``."""


class WrongModel:
    """The embedded model; one step is a given text, the others are the solutions.

    Args:
        key: the step's key, such as ``s08``.
        source: the step's text as a solution; empty for the solution itself.
    """

    def __init__(self, key: str, source: str) -> None:
        checkpoint = play.checkpoint()
        model_class, config_class = import_classes(key, source)
        config = config_class(**asdict(checkpoint.config))
        self._vocab_size = checkpoint.config.vocab_size
        self._model = load_model(model_class, config, checkpoint.weights)
        self._transposes = transposes_of(self._model)

    def logits(self, ids: list[int]) -> np.ndarray:
        """The logits ``[T, V]`` of ids ``[T]``.

        Raises:
            NoLogitsError: the model's result has another shape.
        """
        with direct_operations(self._transposes):
            result = self._model(as_tensor(np.array([ids])))
        array = result.to_numpy()
        if array.shape != (1, len(ids), self._vocab_size):
            raise NoLogitsError(f"a result of shape {list(array.shape)}, not [B, T, V]")
        return array[0]

    def write(self, ids: list[int], count: int) -> list[int]:
        """The ids of a greedy continuation by ``count`` tokens."""
        text = list(ids)
        for _ in range(count):
            text.append(int(self.logits(text)[-1].argmax()))
        return text[len(ids) :]


def import_classes(key: str, source: str) -> tuple[Any, Any]:
    """Imports the model's and the configuration's class, with one step's text."""
    with TemporaryDirectory() as folder:
        path = Path(folder, find_exercise(key).step_path.name)
        path.write_text(as_step(source), encoding="utf-8")
        borrow(Path(folder), own=[key] if source else [])
        model = import_module("steps.step_13").MaxGPT2LMHeadModel
        return model, import_module("steps.step_01").GPT2Config


def run(
    key: str, source: str, stories: list[list[int]], prompt: list[int], count: int
) -> dict[str, Any]:
    """Runs a wrong model.

    Args:
        key, source: as for ``WrongModel``.
        stories: the ids of each story, its first input and its last target included.
        prompt: the ids before the greedy continuation.
        count: the number of its tokens.

    Returns:
        ``sums``, the loss of each story in nats, and ``ids``, the continuation. If the
        code raises an exception, ``error`` says which and when.
    """
    when = "when the weights are loaded"
    try:
        model = WrongModel(key, source)
        when = "when the model runs"
        ids = model.write(prompt, count)  # first: short texts show a wrong shape sooner
        sums = [held_out.story_loss(model.logits, story) for story in stories]
    except NoLogitsError as error:
        return {"error": str(error)}
    except Exception as error:
        return {"error": f"`{type(error).__name__}` {when}"}
    return {"sums": sums, "ids": ids}
