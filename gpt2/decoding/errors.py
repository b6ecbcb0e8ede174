"""Errors of decoding."""


class NoNumbersError(Exception):
    """The model computed something else than numbers, because its weights are bad."""

    def __init__(self) -> None:
        super().__init__(
            "the model computes no finite numbers: its weights are damaged, get them "
            "again"
        )
