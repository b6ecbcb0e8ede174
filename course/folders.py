"""Folders that perhaps do not exist yet."""

import os
from pathlib import Path


def nearest(folder: Path) -> Path:
    """Returns the folder if it exists, or else the nearest one above that does."""
    return next(each for each in [folder, *folder.parents] if each.exists())


def writable(folder: Path) -> bool:
    """Says whether this user may write in a folder, or make it."""
    return os.access(nearest(folder), os.W_OK)
