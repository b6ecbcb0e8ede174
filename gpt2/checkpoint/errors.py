"""Kinds of errors for models that cannot be used. The sentence stands at each raise."""


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message says why and what to do."""


class UnknownModelError(CheckpointError):
    """The name is neither a known model nor a folder."""
