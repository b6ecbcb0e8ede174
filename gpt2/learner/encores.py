"""The encores that decoding uses: the solutions', or a learner's own once finished."""

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
    """Modules with the encores' public functions."""

    sampling: ModuleType = encore_sampling
    beam_search: ModuleType = encore_beam_search


def open_encores(*, mine: bool, note: Callable[[str], None]) -> Encores:
    """Takes a learner's encores where they are finished, and says which it borrows.

    Args:
        mine: look in ``steps/``; otherwise the solutions are used.
        note: gets a sentence if any is borrowed.

    Raises:
        LearnerError: an encore of theirs does not run.
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
    """The module of that name, unless it is missing or a blank of it is still one."""
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
    """Calls what generation uses, with every filter at work."""
    logits = np.arange(50.0)  # more than top-k keeps
    settings = {setting.name: setting.tried[0] for setting in SAMPLING}
    chances = module.next_token_probabilities(logits, [1, 2], **settings)
    module.top_tokens(chances, 2)
    module.sample(logits, np.random.default_rng(0))


def try_beam_search(module: ModuleType) -> None:
    """Searches a text of two tokens, of which the first may be the last."""
    module.beam_search(
        lambda ids: np.zeros([len(ids), 3]),
        [1],
        num_beams=2,
        max_new_tokens=2,
        eos_token_id=0,
    )
