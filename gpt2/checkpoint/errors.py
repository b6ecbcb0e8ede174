"""Errors for models that cannot be used; each message is one sentence for the user."""


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message says why and what to do."""


class UnknownModelError(CheckpointError):
    """The name is neither a known model nor a folder."""
