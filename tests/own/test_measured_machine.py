"""A benchmark's result says on which processor it was measured."""

from pathlib import Path

import pytest

from benchmarks import machine as module
from benchmarks.machine import described, machine

VIRTUAL = """processor\t: 0
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC
stepping\t: 1
flags\t\t: fpu avx avx2 avx512f

processor\t: 1
model name\t: another
"""
ARM = """processor\t: 0
Features\t: fp asimd sve
CPU implementer\t: 0x41
CPU part\t: 0xd40

"""


@pytest.mark.parametrize(
    ("content", "identity"),
    [
        (VIRTUAL, "cpu family 25, model 17, stepping 1, avx2, avx512f"),
        (ARM, "CPU implementer 0x41, CPU part 0xd40, asimd, sve"),
    ],
)
def test_more_than_the_name(
    content: str, identity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(content)
    monkeypatch.setattr(module, "CPUINFO", path)
    found = machine()
    assert found["cpu_identity"] == identity
    assert identity in described(found)
    assert ("AMD EPYC" in described(found)) == (content == VIRTUAL)


def test_other_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CPUINFO", tmp_path / "missing")
    assert machine()["cpu"]
    assert "it named no model" in described(machine())


def test_older_results() -> None:
    old = {"cpu": "AMD EPYC", "cores": 2, "day": "2026-11-23"}
    assert described(old) == "AMD EPYC (it named no model), 2 cores, 2026-11-23"
