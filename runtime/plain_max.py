"""The one switch: COURSE_PLAIN_MAX=1 runs MAX as it comes, without any patch."""

import os


def plain_max() -> bool:
    """Whether every patch is to stay off."""
    return os.environ.get("COURSE_PLAIN_MAX", "") not in ("", "0")
