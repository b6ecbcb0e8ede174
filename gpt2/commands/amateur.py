"""Loads the amateur of contrastive decoding for a text."""

from gpt2.checkpoint.second_model import load_second, silent_after
from gpt2.commands.prompt import Start
from gpt2.decoding.settings import ContrastSettings
from gpt2.writer import Amateur


def open_amateur(
    start: Start, amateur: str | None, **settings: float | None
) -> Amateur | None:
    """Loads the weaker model.

    Args:
        start: the text, and the model that writes.
        amateur: a second model's name; None loads nothing.
        settings: alpha and beta; None stands for the default.

    Raises:
        CheckpointError: the model cannot be used beside the one that writes.
    """
    if amateur is None:
        return None
    second = load_second(
        amateur, start.checkpoint, start.longest, "amateur", silent_after
    )
    given = {name: value for name, value in settings.items() if value is not None}
    return Amateur(second, ContrastSettings(**given))
