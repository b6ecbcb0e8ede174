"""The notebooks' kernel: it runs code in the course's folder, as the book does."""

import os
from contextlib import ExitStack

from course.registry import ROOT
from runtime.defaults import on_the_cpu


def main() -> None:
    """Runs until Jupyter stops it."""
    from ipykernel.kernelapp import IPKernelApp

    from runtime.direct.operations import rules

    os.chdir(ROOT)  # Jupyter starts a kernel in its notebook's folder
    with ExitStack() as settings:
        settings.enter_context(on_the_cpu())
        settings.enter_context(rules())
        IPKernelApp.launch_instance()
