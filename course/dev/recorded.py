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
        sample: exercises; the course's own tests check no others, because checking
            all takes minutes. ``course dev check`` checks all.
    """

    name: str
    module: str
    writes: str
    apart: bool = False
    sample: tuple[str, ...] = ()

    def run(self, *exercises: str, check: bool) -> subprocess.CompletedProcess[str]:
        """Makes stale files, or only names them; stdout has one line for each.

        Args:
            exercises: keys of exercises; none stands for all.
            check: change nothing.
        """
        options = [*["--check"] * check, *exercises]
        command = [sys.executable, "-P", "-m", self.module, *options]
        env = dict(os.environ)  # lacks the variables that MAX's C++ code sets
        return run_child(command, cwd=ROOT, env=env, capture_output=True, text=True)


RECORDED = (
    Recorded("examples", "book.examples", "printed output in book/src/*.md"),
    Recorded("figures", "book.figures", "book/src/figures, book/src/numbers"),
    Recorded("goldens", "tests.golden", "tests/golden", apart=True),
    Recorded("lab", "book.lab.record", "book/src/lab/data/recording.js"),
    Recorded("losses", "book.mistake_losses", "book/src/losses", sample=("s08", "s10")),
    Recorded(
        "mistakes",
        "course.dev.mistakes",
        "tests/mistakes/recorded",
        sample=("s03", "s08", "s10"),
    ),
    Recorded("reports", "book.reports", "book/src/reports"),
    Recorded("sentence", "book.lab.sentence", "book/src/lab/data/sentence.js"),
    Recorded("terminals", "book.terminals", "book/src/terminals"),
    Recorded("training", "book.lab.training", "book/src/lab/data/training.js"),
    Recorded("voices", "book.voices", "gpt2/learner/voice/finished.json"),
)
