"""Checks whether a text fits into a model's context."""

from gpt2.checkpoint.loading import Checkpoint


class ContextError(Exception):
    """A text is too long for a model; the message says by how much.

    Args:
        checkpoint: the model.
        tokens: the number of tokens in the text.
        wanted: the number of new tokens asked for, or None.
    """

    def __init__(self, checkpoint: Checkpoint, tokens: int, wanted: int | None) -> None:
        self.tokens, self.context = tokens, checkpoint.config.n_positions
        self.room = max(self.context - tokens, 0)
        super().__init__(
            f"{checkpoint.name} sees at most {self.context} tokens: the prompt has "
            f"{tokens}, which leaves room for {self.room} new ones"
            + (f", not for {wanted}" if wanted else "")
        )


def new_tokens(
    checkpoint: Checkpoint, tokens: int, wanted: int | None, usual: int
) -> int:
    """Returns how many tokens to write after a text.

    Args:
        checkpoint: the model.
        tokens: the number of tokens in the text.
        wanted: the number of new tokens, which may be 0. With None, ``usual`` tokens
            are written, or as many as fit; at least one must fit.
        usual: the number for ``wanted=None``.

    Raises:
        ContextError: the text and the new tokens do not fit.
    """
    room = checkpoint.config.n_positions - tokens
    if room < (1 if wanted is None else wanted):
        raise ContextError(checkpoint, tokens, wanted)
    return min(usual, room) if wanted is None else wanted
