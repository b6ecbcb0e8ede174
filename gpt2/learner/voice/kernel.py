"""The encore on a kernel: tokens per second of the model that it multiplies in."""

from gpt2.learner.own_kernel import SPEEDS, speeds
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech
from runtime.plain_max import plain_max


def show_kernel(attempt: Attempt, speech: Speech) -> None:
    """Says how fast the model writes with the kernel, once it passes."""
    if attempt.passed and not plain_max():
        found = speeds(attempt.checkpoint, attempt.module, speech.line)
        speech.line(f"In the model that writes stories, {SPEEDS.format_map(found)}.")
