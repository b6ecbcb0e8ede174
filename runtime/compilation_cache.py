"""Files for compiled code. Reading one is quick; compiling takes minutes."""

import os
import platform
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Protocol


class Exports(Protocol):
    """Compiled code that MAX can write to a file."""

    def export_mef(self, path: Path) -> None: ...


def cache_path(*parts: object) -> Path:
    """Returns a file name that depends on ``parts``, MAX's version and the processor.

    The file is in MAX's cache folder, so emptying that folder removes the file too.
    """
    text = repr((version("max"), processor(), *parts))
    return cache_folder() / f"{sha256(text.encode()).hexdigest()[:16]}.mef"


def cache_folder() -> Path:
    """Returns the folder of the files. Perhaps this user may not write there."""
    try:
        home = Path.home()
    except RuntimeError:  # the user has none
        home = Path("/")
    usual = home / ".cache" / "modular"
    return Path(os.environ.get("MODULAR_CACHE_DIR") or usual, "gpt2-on-max")


def processor() -> str:
    """Describes the processor, since several machines may share a home folder."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.processor()} {platform.machine()}"
    wanted = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))


def store(compiled: Exports, path: Path) -> None:
    """Writes a file completely or not at all; two runs may write at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    compiled.export_mef(unfinished)
    unfinished.replace(path)
