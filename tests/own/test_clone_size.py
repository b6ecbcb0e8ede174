"""A clone of the course stays small."""

import shutil
import subprocess

import pytest

from course.registry import ROOT


@pytest.mark.skipif(
    not (shutil.which("git") and (ROOT / ".git").exists()), reason="no git here"
)
def test_all_files_together_are_small() -> None:
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    files = [ROOT / name for name in listed.split("\0") if name]
    assert sum(path.stat().st_size for path in files if path.exists()) < 18_500_000
