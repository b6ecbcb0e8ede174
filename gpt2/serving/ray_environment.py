"""Ray's variables and folder, set before Ray is imported."""

import os
import secrets
import tempfile

# Linux allows 107 bytes for a socket's path, and macOS 103. Ray's folder adds 80.
LONGEST = 23


def prepare(address: str | None) -> None:
    """Sets the variables that this program and the processes it starts need.

    Without an address Ray is started for this program alone. Then variables of other
    clusters must not change it, and the secret needs no file in the home folder.

    Args:
        address: a Ray cluster's address, or None.
    """
    if address is None:
        for name in [name for name in os.environ if name.startswith("RAY_")]:
            del os.environ[name]
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"  # silences a warning
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # no `uv run` in each process
    os.environ["RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD"] = "0"  # needs no thread
    # Only this program may start processes.
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    # Ray's default is a low priority.
    os.environ.setdefault("RAY_worker_niceness", "0")


def short_folder() -> str:
    """Returns a folder for temporary files in which a socket's path is not too long."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= LONGEST or not os.path.isdir("/tmp") else "/tmp"
