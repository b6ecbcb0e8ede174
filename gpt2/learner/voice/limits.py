"""The longest time of speaking."""

import time


class Enough(BaseException):
    """The time is over. A learner's code may catch an ``Exception``, but not this."""


class Clock:
    """Measures the time from now on, up to some seconds."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._until

    def check(self) -> None:
        """Raises ``Enough`` if the time is over."""
        if self.late:
            raise Enough
