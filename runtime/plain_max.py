"""The switch COURSE_PLAIN_MAX=1, which turns all patches of MAX off."""

import os


def plain_max() -> bool:
    """Whether all patches are turned off."""
    return os.environ.get("COURSE_PLAIN_MAX", "") not in ("", "0")
