"""Describes the machine and the day of a measurement, and keeps figures in a file."""

import json
import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

CPUINFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
# A virtual machine often hides the model's name, but not these.
IDENTITY = ("cpu family", "model", "stepping", "CPU implementer", "CPU part")
UNITS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve")  # for vectors


def machine() -> dict[str, str | int]:
    """The processor and its governor, cores, memory, versions and the date."""
    fields = cpu_fields()
    flags = fields.get("flags", fields.get("Features", "")).split()
    identity = [f"{name} {fields[name]}" for name in IDENTITY if name in fields]
    return {
        "cpu": fields.get("model name") or platform.processor() or platform.machine(),
        "cpu_identity": ", ".join([*identity, *(u for u in UNITS if u in flags)]),
        "cores": os.cpu_count() or 1,
        "governor": governor(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "max": version("max"),
        "day": datetime.now(UTC).date().isoformat(),
    }


def governor() -> str:
    """What chooses the processor's frequency; a virtual machine often hides it."""
    try:
        return GOVERNOR.read_text(encoding="utf-8").strip()
    except OSError:
        return "not readable"


def cpu_fields() -> dict[str, str]:
    """What Linux says of the first core, by name; empty on other systems."""
    if not CPUINFO.exists():
        return {}
    first = CPUINFO.read_text(encoding="utf-8").partition("\n\n")[0]
    return dict(re.findall(r"^(.+?)\s*: (.*)$", first, re.MULTILINE))


def described(found: dict[str, Any]) -> str:
    """Names the machine of a result, and says what it left open."""
    identity = found.get("cpu_identity") or "it named no model"
    return f"{found['cpu']} ({identity}), {found['cores']} cores, {found['day']}"


def keep(result: dict[str, Any], path: Path) -> None:
    """Writes the figures of a run as JSON, in a folder that may be new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
