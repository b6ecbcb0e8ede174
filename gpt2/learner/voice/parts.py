"""A learner's attempt at an exercise, as a part of the embedded model."""

from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from course.registry import Exercise, load_registry
from course.state import Progress
from gpt2.checkpoint.loading import Checkpoint
from gpt2.decoding.generation import TokenEngine
from gpt2.learner.borrowing import Borrowed, borrow, passed
from gpt2.learner.voice.stories import Finished, Story, read_finished, read_story


@dataclass(frozen=True)
class Attempt:
    """An exercise that was checked, in a model of the learner's other finished steps.

    Attributes:
        exercise: the exercise. Its file is the learner's, even if it failed.
        steps_dir: the folder with the learner's files.
        checkpoint: the embedded model's sizes, weights and tokenizer.
        passed: whether every check passed.
        seconds: the longest time of speaking.
    """

    exercise: Exercise
    steps_dir: Path
    checkpoint: Checkpoint
    passed: bool
    seconds: float

    @cached_property
    def borrowed(self) -> Borrowed:
        """Lets ``import steps`` give the learner's finished steps and this one."""
        own = {*passed(Progress(self.steps_dir)), self.exercise.key}
        return borrow(self.steps_dir, own=own)

    @cached_property
    def module(self) -> ModuleType:
        """The learner's module of this exercise."""
        return self.importing(self.exercise.step_module)

    @property
    def config(self) -> Any:
        """The embedded model's sizes, in the configuration of step 01."""
        config_class = self.importing("steps.step_01").GPT2Config
        return config_class(**asdict(self.checkpoint.config))

    @property
    def model_class(self) -> type:
        """``MaxGPT2LMHeadModel`` of step 13."""
        return self.importing("steps.step_13").MaxGPT2LMHeadModel

    def engine(self) -> TokenEngine:
        """Opens the model, which reads the whole text for every token."""
        from gpt2.learner.eager_engine import EagerEngine  # takes a second

        return EagerEngine(self.config, self.checkpoint.weights, self.model_class)

    def model(self) -> Any:
        """Builds the model: ids ``[B, T]`` to logits ``[B, T, V]``."""
        from gpt2.learner.eager_engine import load_model

        return load_model(self.model_class, self.config, self.checkpoint.weights)

    def importing(self, name: str) -> ModuleType:
        """Imports a module of ``steps``: the learner's, or a borrowed one."""
        _ = self.borrowed
        return import_module(name)

    @property
    def completes_all(self) -> bool:
        """Whether the last step has passed, and all others are the learner's too."""
        steps = [e.key for e in load_registry() if e.is_step]
        last = self.exercise.key == steps[-1]
        return last and self.passed and set(steps) <= set(self.borrowed.own)

    @property
    def story(self) -> Story:
        """The story that the model begins here."""
        return read_story(self.exercise.number, self.checkpoint)

    @property
    def finished(self) -> Finished:
        """What a finished model makes of that story."""
        return read_finished(self.exercise.number)
