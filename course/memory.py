"""A limit on the memory of a process that runs a learner's code."""

import contextlib
import os
import resource
from pathlib import Path


def bound_memory() -> None:
    """Limits memory, so that a huge allocation fails and the machine stays usable."""
    with contextlib.suppress(OSError):  # Linux ends this process first
        Path("/proc/self/oom_score_adj").write_text("900", encoding="utf-8")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = max(memory, 16 * 2**30)  # MAX alone reserves several GiB
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
