"""Encores for decoding: a learner's encore if finished, otherwise the solution."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np

from gpt2.decoding.settings import SAMPLING
from gpt2.learner.step_errors import blame_steps
from solutions import encore_beam_search, encore_sampling


@dataclass(frozen=True)
class Encores:
    """The modules of the sampling and the beam-search encores."""

    sampling: ModuleType = encore_sampling
    beam_search: ModuleType = encore_beam_search


def open_encores(*, mine: bool, note: Callable[[str], None]) -> Encores:
    """Returns a learner's finished encores, and solutions for the other encores.

    Args:
        mine: use the encores in ``steps/``; otherwise all solutions.
        note: gets a sentence if a solution replaces a learner's encore.

    Raises:
        LearnerError: a learner's encore does not run.
    """
    if not mine:
        return Encores()
    trials = {"sampling": try_sampling, "beam_search": try_beam_search}
    found = {name: finished(f"steps.encore_{name}", trials[name]) for name in trials}
    own = {name: module for name, module in found.items() if module}
    if borrowed := [f"encore_{name}" for name in trials if name not in own]:
        note(f"not finished, so borrowed from the solutions: {', '.join(borrowed)}")
    return Encores(**own)


def finished(name: str, trial: Callable[[ModuleType], object]) -> ModuleType | None:
    """Imports and tries a module; returns None if it is missing or unfinished."""
    if find_spec(name) is None:
        return None
    with blame_steps():
        try:
            module = import_module(name)
            trial(module)
        except NotImplementedError:
            return None
        return module


def try_sampling(module: ModuleType) -> None:
    """Calls the functions that generation uses, with every filter on."""
    logits = np.arange(50.0)  # more than top-k keeps
    settings = {setting.name: setting.tried[0] for setting in SAMPLING}
    chances = module.next_token_probabilities(logits, [1, 2], **settings)
    module.top_tokens(chances, 2)
    module.sample(logits, np.random.default_rng(0))


def try_beam_search(module: ModuleType) -> None:
    """Searches for a text of one or two tokens."""
    module.beam_search(
        lambda ids: np.zeros([len(ids), 3]),
        [1],
        num_beams=2,
        max_new_tokens=2,
        eos_token_id=0,
    )
