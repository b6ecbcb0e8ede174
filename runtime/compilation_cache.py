"""What MAX has compiled, kept in files: a moment to read, minutes to make."""

import os
import platform
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Protocol


class Exports(Protocol):
    """What MAX has compiled."""

    def export_mef(self, path: Path) -> None: ...


def cache_path(*parts: object) -> Path:
    """The file of what this MAX makes of ``parts`` for this machine's processor.

    It is in MAX's own cache folder: emptying that removes it too.
    """
    folder = os.environ.get("MODULAR_CACHE_DIR") or Path.home() / ".cache" / "modular"
    text = repr((version("max"), processor(), *parts))
    return Path(folder, "gpt2-on-max", f"{sha256(text.encode()).hexdigest()[:16]}.mef")


def processor() -> str:
    """What compiled code runs on: one home folder may serve many machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.processor()} {platform.machine()}"
    wanted = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))


def store(compiled: Exports, path: Path) -> None:
    """Writes a file whole or not at all: two runs may do so at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    compiled.export_mef(unfinished)
    unfinished.replace(path)
