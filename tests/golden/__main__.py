"""Records the goldens: ``python -m tests.golden [--check]``.

Most goldens are made with PyTorch. The heads of the scripts list the packages, and uv
installs these for one run. The check needs no PyTorch: it only tests whether the
goldens of the embedded model belong to the present weights.
"""

import hashlib
import shutil
import sys
from pathlib import Path

import click
import numpy as np

from course.commands import runner
from course.registry import ROOT
from runtime.children import run_child

HERE = Path(__file__).parent
GOLDEN = HERE / "tiny-stories.npz"
SCRIPTS = (
    HERE / "make_golden.py",
    HERE / "make_contrastive.py",  # reads what the first writes
    HERE.parent / "own/gpt2/make_constrained.py",  # alone uses the programs
)
WEIGHTS = ROOT / "checkpoints" / "tiny-stories" / "model.safetensors"


def is_stale() -> bool:
    """True if the goldens are missing or belong to other weights."""
    digest = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    return not GOLDEN.exists() or str(np.load(GOLDEN)["sha256"]) != digest


@click.command()
@click.option("--check", is_flag=True, help="only list stale files")
def main(check: bool) -> None:
    """Write the results of Hugging Face's GPT-2 and others. Downloads PyTorch."""
    if not check:
        if not shutil.which("uv"):
            sys.exit("Making the goldens needs uv, and there is none on this PATH.")
        for path in SCRIPTS:
            if code := run_child(["uv", "run", "--script", str(path)]).returncode:
                sys.exit(code)
        sys.exit()
    if is_stale():
        file = GOLDEN.relative_to(ROOT)
        print(f"{file} is stale: {runner()} python -m tests.golden")
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m tests.golden")
