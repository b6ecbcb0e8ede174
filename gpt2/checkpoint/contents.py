"""Says what a file is that could not be read as what its name promises."""

import re
from pathlib import Path

from gpt2.checkpoint.errors import CheckpointError

BOM = b"\xef\xbb\xbf"  # begins texts that some editors on Windows save
# Patterns of whole words: a safetensors file may begin with any two bytes.
BEGINNINGS = {
    rb"version https://git-lfs": (
        "a pointer of git-lfs, not the file itself: run git lfs pull in its folder"
    ),
    rb"\s*<[!?a-zA-Z][\s -~]{6}": (
        "a web page or a server's error, not the file itself: get the file again (some "
        "files need a login)"
    ),
    rb"GGUF": "in llama.cpp's format GGUF: get the model in safetensors",
    rb"\x89HDF": "in TensorFlow's format HDF5: get the model in safetensors",
    rb"PK\x03\x04": "a zip archive or a pickle of torch.save: it is not opened here",
    rb"\x80[\x02-\x05][^\x00]": "a pickle, which could run any code and is not opened",
    rb"\x1f\x8b\x08": "an archive: unpack it first",
}


def is_there(path: Path) -> bool:
    """Whether there is a file, or a link to one that may be missing."""
    return path.is_file() or path.is_symlink()


def unreadable(path: Path, otherwise: str) -> CheckpointError:
    """Returns the error for a file that a reader refused.

    Args:
        path: the file.
        otherwise: the sentence about a file of no known kind.
    """
    try:
        with path.open("rb") as file:
            start = file.read(60)
    except FileNotFoundError:
        return CheckpointError(_missing(path))
    except OSError as error:
        return CheckpointError(f"{path} cannot be read: {error.strerror}")
    for beginning, kind in BEGINNINGS.items():
        if re.match(beginning, start.removeprefix(BOM)):
            return CheckpointError(f"{path} is {kind}")
    return CheckpointError(otherwise)


def _missing(path: Path) -> str:
    """Returns one sentence; a link without its file is named."""
    if path.is_symlink():
        return f"{path} is a link to {path.readlink()}, which is missing: get it again"
    return f"{path} is missing: get the file again"


def begins_with_text(path: Path) -> str | None:
    """Returns the first words of a file that begins with text; else None."""
    with path.open("rb") as file:
        start = file.read(60)
    return start.decode() if re.fullmatch(rb"[\s -~]+", start) else None
