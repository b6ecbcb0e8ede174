"""The training loop: predict, measure the loss, step against the gradient."""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from files import Model
from optimizers import build_optimizers
from record import Moment
from text import batches
from torch import Tensor
from torch.nn.functional import cross_entropy

BATCH = 24  # windows in a step
WARM_UP = 100  # steps until the full learning rate, or a tenth of a shorter training


@dataclass(frozen=True)
class Budget:
    """How long to train: a number of steps or, without one, a time in seconds."""

    steps: int | None
    seconds: float

    def done(self, step: int, began: float) -> float:
        """Returns the share of the training that is done, from 0 to 1."""
        if self.steps:
            return step / self.steps
        return min(1.0, (time.monotonic() - began) / self.seconds)


def train(
    model: Model, ids: Tensor, budget: Budget, seed: int, factor: float = 1.0
) -> Iterator[Moment]:
    """Trains the model on ids ``[N]``; yields before the first step and after each.

    The learning rates rise to ``factor`` times those of the optimizers. Then they fall
    in a straight line to 0.
    """
    optimizers = build_optimizers(model)
    groups = [group for each in optimizers for group in each.param_groups]
    highest = [factor * group["lr"] for group in groups]
    began, done = time.monotonic(), 0.0
    yield Moment(step=0, done=0.0, seconds=0.0, loss=math.nan)
    stream = batches(ids, BATCH, model.shape.n_positions, seed)
    for step, (inputs, targets) in enumerate(stream, 1):
        rate = min(1, max(step / WARM_UP, 10 * done)) * (1 - done)
        for group, most in zip(groups, highest, strict=True):
            group["lr"] = most * rate
        model.train()
        loss = loss_of(model, inputs, targets)
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        done = budget.done(step, began)
        yield Moment(step, done, time.monotonic() - began, loss.item())
        if done >= 1:
            return


def loss_of(model: Model, inputs: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean of -log p(target), in nats per token."""
    with precision():
        logits = model(inputs)
    return cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def precision() -> AbstractContextManager:
    """Multiplies in bfloat16 where the processor has instructions for it."""
    fast = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    return torch.autocast("cpu", torch.bfloat16, enabled=fast)
