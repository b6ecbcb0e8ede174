"""What lies in the repository although a script makes it.

The course stands below the book, so it imports none of these scripts: it runs them.
Each is a command with ``--check``, which names what is stale and changes nothing.
"""

import os
import subprocess
import sys
from dataclasses import dataclass

from course.registry import ROOT


@dataclass(frozen=True)
class Recorded:
    """One script and what it writes.

    Attributes:
        name: what it is called in ``course dev``.
        module: the script, as ``python -m`` knows it.
        writes: the files, for people.
        apart: it needs more than the course installs, so it runs only when named.
    """

    name: str
    module: str
    writes: str
    apart: bool = False

    def run(self, *, check: bool) -> subprocess.CompletedProcess[str]:
        """Makes what is stale, or only names it; one line of stdout for each file."""
        command = [sys.executable, "-m", self.module, *["--check"] * check]
        env = dict(os.environ)  # as Python knows it, without what MAX has added
        return subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True
        )


RECORDED = (
    Recorded("attention", "book.lab.attention", "book/src/lab/data/attention.js"),
    Recorded("examples", "book.examples", "printed output in book/src/*.md"),
    Recorded("figures", "book.figures", "book/src/figures, book/src/numbers"),
    Recorded("goldens", "tests.golden", "tests/golden", apart=True),
    Recorded("lab", "book.lab.record", "book/src/lab/data/{recording,weights}.js"),
    Recorded("reports", "book.reports", "book/src/reports"),
)
