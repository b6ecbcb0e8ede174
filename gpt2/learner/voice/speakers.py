"""Chooses what is said about each exercise, and says it."""

import traceback
from collections.abc import Callable
from pathlib import Path

from rich.markup import escape

from course.registry import short
from gpt2.learner.voice.beams import show_beams
from gpt2.learner.voice.cache import show_cache
from gpt2.learner.voice.contrast import show_contrast
from gpt2.learner.voice.filters import show_filters
from gpt2.learner.voice.finale import show_finale
from gpt2.learner.voice.forms import show_forms
from gpt2.learner.voice.kernel import show_kernel
from gpt2.learner.voice.llama import show_llama
from gpt2.learner.voice.loop import let_loop_write
from gpt2.learner.voice.merging import show_merging
from gpt2.learner.voice.model import let_model_write
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.rounds import show_rounds
from gpt2.learner.voice.sight import show_sight
from gpt2.learner.voice.sizes import show_sizes
from gpt2.learner.voice.speech import Speech

Speaker = Callable[[Attempt, Speech], None]
SPEAKERS: dict[str, Speaker] = {  # for every other step, the model writes
    "tokenizer": show_merging,
    "s01": show_sizes,
    "s02": show_sight,
    "s14": let_loop_write,
    "sampling": show_filters,
    "beam-search": show_beams,
    "kv-cache": show_cache,
    "kernel": show_kernel,
    "speculative": show_rounds,
    "constrained": show_forms,
    "contrastive": show_contrast,
    "llama": show_llama,
}


def speak(attempt: Attempt, speech: Speech) -> None:
    """Says what fits the exercise, or in one line that the learner's code raises."""
    usual = SPEAKERS.get(attempt.exercise.key, let_model_write)
    try:
        (show_finale if attempt.completes_all else usual)(attempt, speech)
    except (Exception, SystemExit) as error:
        speech.line(f"[dim]{escape(trouble(error, attempt.steps_dir))}[/]")


def trouble(error: BaseException, steps_dir: Path) -> str:
    """Says in which line of the learner's the model stops."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).parent == steps_dir]
    place = f", {short(Path(own[-1].filename))}:{own[-1].lineno}" if own else ""
    return f"With it the model does not run: {type(error).__name__}{place}"
