"""Describes the machine and the day of a measurement, and keeps figures in a file."""

import json
import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine() -> dict[str, str | int]:
    """The processor, the number of cores, the versions and the date."""
    cpu = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        found = re.search(r"model name\s*: (.*)", info.read_text(encoding="utf-8"))
        cpu = found[1] if found else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "max": version("max"),
        "day": datetime.now(UTC).date().isoformat(),
    }


def keep(result: dict[str, Any], path: Path) -> None:
    """Writes the figures of a run as JSON, in a folder that may be new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
