"""Commands that run the course's code in another Python."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python_command(code: str, *arguments: str, options: str = "-P") -> list[str]:
    """Returns the command that runs ``code``, in which ``sys`` is imported already.

    With ``python -m``, Python would first look in the current folder for every module.
    There a file such as ``random.py`` would replace Python's own module. Here Python
    looks last in the course's folder, and not at all in the current one.

    Args:
        code: statements, such as an import and a call.
        arguments: the rest of ``sys.argv``.
        options: Python's own options.
    """
    start = f"import sys; sys.path.append({str(ROOT)!r}); {code}"
    return [sys.executable, *options.split(), "-c", start, *arguments]
