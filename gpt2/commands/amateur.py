"""Loads the amateur of contrastive decoding for a text."""

from gpt2.checkpoint.amateur import load_amateur
from gpt2.checkpoint.context import new_tokens
from gpt2.commands.prompt import Start
from gpt2.decoding.settings import ContrastSettings
from gpt2.writer import Amateur


def open_amateur(
    start: Start, amateur: str | None, **settings: float | None
) -> Amateur | None:
    """Loads the weaker model and checks that the text fits into its context, too.

    Args:
        start: the text, and the model that writes.
        amateur: a number of layers, a model's name, or a folder; None loads nothing.
        settings: alpha and beta; None stands for the default.

    Raises:
        CheckpointError: the model cannot be used beside the one that writes.
        ContextError: the text does not fit.
    """
    if amateur is None:
        return None
    checkpoint = load_amateur(amateur, start.checkpoint)
    new_tokens(checkpoint, len(start.ids), start.count, start.count)
    given = {name: value for name, value in settings.items() if value is not None}
    return Amateur(checkpoint, ContrastSettings(**given))
