"""Commands that run the course's code in another Python.

This module imports only what Python has loaded at its start.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
START = f"""
import sys; sys.path.insert(0, {ROOT!r})
from runtime.child_python import search_after_packages
search_after_packages([{ROOT!r}])
"""


def python_command(code: str, *arguments: str, options: str = "-P") -> list[str]:
    """Returns the command that runs ``code``, in which ``sys`` is imported already.

    With ``python -m``, Python would first look in the current folder for every module.
    There a file such as ``random.py`` would replace Python's own module. Here Python
    looks in the course's folder late, and not at all in the current one.

    Args:
        code: statements, such as an import and a call.
        arguments: the rest of ``sys.argv``.
        options: Python's own options.
    """
    return [sys.executable, *options.split(), "-c", START + code, *arguments]


def search_after_packages(folders: list[str]) -> None:
    """Lets Python search folders after its packages, but before other checkouts.

    An environment may belong to another checkout of the course: the folders that come
    after its packages are that checkout's.
    """
    others = [entry for entry in sys.path if entry not in folders]
    ends = [i for i, entry in enumerate(others, 1) if entry.endswith("-packages")]
    end = max(ends, default=len(others))
    sys.path[:] = others[:end] + folders + others[end:]
