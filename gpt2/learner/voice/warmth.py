"""Loads ahead what every voice needs, while the checks still run."""

import numpy as np

from gpt2.checkpoint.loading import Checkpoint
from runtime.defaults import on_the_cpu
from runtime.kernel_batches import batch_path


def warm_up(checkpoint: Checkpoint) -> None:
    """Runs the solutions on one token, so that MAX loads its modules and kernels."""
    if not batch_path("needed").exists():  # MAX would compile for minutes
        return
    from gpt2.learner.eager_engine import EagerEngine
    from solutions.solution_13 import MaxGPT2LMHeadModel

    with on_the_cpu():
        engine = EagerEngine(checkpoint.config, checkpoint.weights, MaxGPT2LMHeadModel)
        engine.prefill(np.array([[0]]))
