"""The sentence with which a newcomer gets the course: where it is cloned from."""

import re
import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

from course.registry import ROOT


def clone(arguments: str, expand: Callable[[str], str]) -> str:
    """Says how to clone the course, with the address if the book's own has one."""
    address = public(remote())
    command = f" with `git clone {address}`" if address else ""
    return f"Clone the course's repository{command} and go into its folder."


def remote() -> str:
    """Where this folder was cloned from; nothing if it was not."""
    if not (ROOT / ".git").exists():  # git would ask the folders around it
        return ""
    command = ["git", "config", "--get", "remote.origin.url"]
    try:
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True
        ).stdout.strip()
    except OSError:  # there is no git
        return ""


def public(url: str) -> str | None:
    """The address for anybody: over HTTP, without a name or a password.

    Args:
        url: as git has it, such as ``git@HOST:PATH`` or ``https://TOKEN@HOST/PATH``.

    Returns:
        None if it names no other machine.
    """
    if short := re.fullmatch(r"[\w.-]+@([\w.-]+):(.+)", url):
        url = f"ssh://{short[1]}/{short[2]}"
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https", "ssh"):
        return None
    if parts.scheme == "ssh":  # its port is none of HTTP's
        return f"https://{parts.hostname}{parts.path}"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
