"""The recorded files: a script makes them, and the repository keeps them.

The course must not import the book, so it runs each script as a command. With
``--check`` a script names stale files and changes nothing.
"""

import os
import subprocess
import sys
from dataclasses import dataclass

from course.registry import ROOT
from runtime.children import run_child


@dataclass(frozen=True)
class Recorded:
    """One script and the files that it writes.

    Attributes:
        name: the script's name in ``course dev``.
        module: the script's module, for ``python -m``.
        writes: the files, as ``--help`` shows them.
        apart: the script needs packages that the course does not install, so
            ``refresh`` makes its files only when named.
    """

    name: str
    module: str
    writes: str
    apart: bool = False

    def run(self, *, check: bool) -> subprocess.CompletedProcess[str]:
        """Makes stale files, or only names them; stdout has one line for each."""
        command = [sys.executable, "-P", "-m", self.module, *["--check"] * check]
        env = dict(os.environ)  # lacks the variables that MAX's C++ code sets
        return run_child(command, cwd=ROOT, env=env, capture_output=True, text=True)


RECORDED = (
    Recorded("attention", "book.lab.attention", "book/src/lab/data/attention.js"),
    Recorded("examples", "book.examples", "printed output in book/src/*.md"),
    Recorded("figures", "book.figures", "book/src/figures, book/src/numbers"),
    Recorded("goldens", "tests.golden", "tests/golden", apart=True),
    Recorded("lab", "book.lab.record", "book/src/lab/data/recording.js"),
    Recorded("losses", "book.mistake_losses", "book/src/losses"),
    Recorded("mistakes", "course.dev.mistakes", "tests/mistakes/recorded"),
    Recorded("reports", "book.reports", "book/src/reports"),
    Recorded("terminals", "book.terminals", "book/src/terminals"),
    Recorded("training", "book.lab.training", "book/src/lab/data/training.js"),
    Recorded("voices", "book.voices", "gpt2/learner/voice/finished.json"),
)
