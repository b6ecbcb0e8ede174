"""Compiles kernels in the background, once, while a new learner reads.

The first command of a learner at a terminal starts the process. It has a session of its
own, so it goes on when the command or the terminal ends. Its lock shows that it runs:
the system frees the lock however the process ends.
"""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from runtime.child_python import python_command
from runtime.plain_max import plain_max

RUN = "from runtime.background import main; main()"
# The shell starts the process and ends at once: no program keeps a dead child.
DETACHED = ["/bin/sh", "-c", '"$@" &', "sh"]
OFF = ("COURSE_NO_BACKGROUND", "CI")
DAY = 86_400.0  # seconds
NICE = 10  # 0 is usual, 19 is the lowest priority


def compile_in_background() -> None:
    """Starts the process if kernels are missing, and says so.

    It is not started where no person reads the message, and at most once a day: it may
    fail.
    """
    if plain_max() or any(map(os.environ.get, OFF)) or not at_terminal():
        return
    from runtime.kernel_batches import SECONDS, compiling_for, missing_batches

    with suppress(OSError):  # this user may not write, or the system is full
        names = missing_batches()
        if not names or started_lately() or compiling_for(names[0]) is not None:
            return
        start(log_path())
        minutes = max(1, round(sum(SECONDS[name] for name in names) / 60))
        plural = "s" if minutes > 1 else ""
        print(
            "MAX now compiles in the background what the steps need: once, about "
            f"{minutes} minute{plural}. Go on meanwhile. (COURSE_NO_BACKGROUND=1 "
            "prevents this.)",
            file=sys.stderr,
        )


def at_terminal() -> bool:
    """Whether the output goes to a terminal."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def started_lately() -> bool:
    """Whether the process was started within a day."""
    log = log_path()
    return log.exists() and time.time() - log.stat().st_mtime < DAY


def log_path() -> Path:
    """Returns the file with the errors of the process; it is made at the start."""
    from runtime.compilation_cache import cache_path

    return cache_path("in the background").with_suffix(".log")


def start(log: Path) -> None:
    """Starts the process; its output goes into a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        subprocess.run(
            [*DETACHED, *python_command(RUN)],
            env=dict(os.environ),  # without variables that MAX's C++ code adds
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            check=True,
        )


def runs() -> bool:
    """Whether the process runs now."""
    from runtime.kernel_batches import is_locked

    return is_locked(log_path().with_suffix(".lock"))


def failure() -> str:
    """Returns why the last process failed; empty if it has not."""
    with suppress(OSError):
        lines = log_path().read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else ""
    return ""


def main() -> None:
    """Compiles the missing batches, at a low priority."""
    from filelock import FileLock, Timeout

    from runtime.children import reason
    from runtime.kernel_batches import compile_batch, missing_batches

    lower_priority()
    try:
        with FileLock(log_path().with_suffix(".lock"), blocking=False):
            store_bytecode()
            for name in missing_batches():
                compile_batch(name)
    except Timeout:  # another process does it
        return
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(reason(error))


def store_bytecode() -> None:
    """Imports MAX, so that Python stores its bytecode: that takes ten seconds."""
    import max.experimental.functional
    import max.experimental.nn
    import max.experimental.tensor  # noqa: F401


def lower_priority() -> None:
    """Lets other processes have the processor and the disk first.

    No priority can be raised again. So it is not the lowest one: on a busy machine a
    check would wait for hours.
    """
    import psutil

    os.nice(NICE)
    with suppress(OSError):  # Linux may share the processor among sessions
        Path("/proc/self/autogroup").write_text(str(NICE), encoding="ascii")
    if hasattr(psutil, "IOPRIO_CLASS_IDLE"):
        with suppress(psutil.Error, OSError):
            psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
