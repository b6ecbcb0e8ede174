"""Records the goldens: ``python -m tests.golden [--check]``.

To make them needs PyTorch. `make_golden.py` says in its head in which environment, and
uv makes that for the one run. The check needs only the weights: it says whether the
goldens of the embedded model belong to them.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import click
import numpy as np

from course.commands import runner
from course.registry import ROOT

HERE = Path(__file__).parent
GOLDEN = HERE / "tiny-stories.npz"
WEIGHTS = ROOT / "checkpoints" / "tiny-stories" / "model.safetensors"


def is_stale() -> bool:
    """Whether the goldens are those of other weights."""
    digest = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    return not GOLDEN.exists() or str(np.load(GOLDEN)["sha256"]) != digest


@click.command()
@click.option("--check", is_flag=True, help="only say what is stale")
def main(check: bool) -> None:
    """Write what Hugging Face's GPT-2 answers; takes PyTorch's download."""
    if not check:
        if not shutil.which("uv"):
            sys.exit("Making the goldens needs uv, and there is none on this PATH.")
        command = ["uv", "run", "--script", str(HERE / "make_golden.py")]
        sys.exit(subprocess.run(command).returncode)
    if is_stale():
        file = GOLDEN.relative_to(ROOT)
        print(f"{file} is stale: {runner()} python -m tests.golden")
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m tests.golden")
