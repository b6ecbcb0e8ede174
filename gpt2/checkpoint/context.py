"""The context: how many tokens a model can see, and whether a text fits."""

from gpt2.checkpoint.loading import Checkpoint


class ContextError(Exception):
    """A text is too long for a model; the message says by how much.

    Args:
        checkpoint: the model.
        tokens: how many the text has.
        wanted: how many were to follow; None where that was left open.
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
    """How many tokens to write after a text.

    Args:
        checkpoint: the model.
        tokens: how many the text has.
        wanted: how many are to follow, which may be none. None stands for the usual
            number, or as many as fit, and at least one.
        usual: that number.

    Raises:
        ContextError: the model cannot see a text of that length.
    """
    room = checkpoint.config.n_positions - tokens
    if room < (1 if wanted is None else wanted):
        raise ContextError(checkpoint, tokens, wanted)
    return min(usual, room) if wanted is None else wanted
