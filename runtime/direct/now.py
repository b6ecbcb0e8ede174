"""Whether rules are used now, and what they keep."""

from runtime.direct.transposes import Transposes


class Now:
    """The state of the block of ``direct_operations`` that runs now.

    Attributes:
        on: whether rules are used.
        transposes: the transposes that are kept.
    """

    on = False
    transposes = Transposes()
