"""Keeps what happened in a training: the losses, and the measured moments."""

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Moment:
    """The state of a training after a step.

    Attributes:
        step: the number of steps so far.
        done: the share of the training that is done, from 0 to 1.
        seconds: the time since the start.
        loss: the step's training loss, in nats per token.
        validation: the validation loss, in nats per token, where measured.
        bits_per_byte: the same loss per byte of text, where measured.
    """

    step: int
    done: float
    seconds: float
    loss: float
    validation: float = math.nan
    bits_per_byte: float = math.nan


def known(moment: Moment) -> dict[str, float]:
    """The numbers of a moment, without those that are not known."""
    return {k: round(v, 4) for k, v in asdict(moment).items() if not math.isnan(v)}


class Record:
    """A training's losses, kept in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.last = Moment(step=0, done=0.0, seconds=0.0, loss=math.nan)
        self.losses: list[float] = []
        self.measured: list[Moment] = []
        self.best: Moment | None = None

    def add(self, moment: Moment) -> None:
        """Keeps a step's loss."""
        self.last = moment
        self.losses += [moment.loss] * (moment.step > 0)

    def mean_loss(self, steps: int = 50) -> float:
        """The mean loss of the latest steps, which varies less than one step's."""
        latest = self.losses[-steps:]
        return sum(latest) / len(latest) if latest else math.nan

    def measure(self, validation: float, bits_per_byte: float) -> Moment:
        """Adds a validation loss to the latest moment, and returns the moment."""
        moment = replace(
            self.last,
            loss=self.mean_loss(),
            validation=validation,
            bits_per_byte=bits_per_byte,
        )
        self.measured.append(moment)
        if self.best is None or validation < self.best.validation:
            self.best = moment
        return moment

    def write(self) -> None:
        """Writes the file: each measured moment, and a mean loss per 1 % of steps."""
        size = max(1, len(self.losses) // 100)
        parts = [self.losses[i : i + size] for i in range(0, len(self.losses), size)]
        content = {
            "moments": [known(moment) for moment in self.measured],
            "steps_per_loss": size,
            "losses": [round(sum(part) / len(part), 4) for part in parts],
        }
        self.file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
