"""Records what known mistakes do to the model: ``python -m book.mistake_losses``.

``[--check] [KEY …]`` as for every recorder. The step with the mistake runs as a
learner's step would, without a compile, and the other steps are the solutions. The
macro ``losses`` shows the tables.
"""

import json
from collections.abc import Iterator
from functools import partial

import numpy as np

from book.figures._losses import compared
from book.held_out import PerToken
from book.mistake_runs import STORIES, Outcome, run_all
from book.pages import LOSSES, BookError, exercise_of
from book.recorder import Made, Recorder
from book.rounding import alike, last_place
from book.same_numbers import reasons
from course.catalogue import load_mistakes
from course.registry import load_registry

FIRST, LAST = 3, 13  # of the steps that the whole model runs
SAME = 1e-3  # nats per story; rounding changes less
HEAD = ["mistake", f"loss on {STORIES} whole stories", "what it writes"]
NO_LOSS = "–"
AGREE = partial(alike, tolerance=last_place)
# What these do depends on the memory behind a table, so they are not run.
UNSAFE = {
    ("s12", "ids as positions"): "reads memory behind the table: any text, or a crash"
}


def steps() -> list[str]:
    """The keys of the steps whose mistakes are recorded."""
    return [e.key for e in load_registry() if e.is_step and FIRST <= e.number <= LAST]


def sources(key: str) -> dict[str, str]:
    """A step's text with each known mistake that is run, by the mistake's name."""
    known = load_mistakes(exercise_of(key))
    return {m.name: m.source for m in known if (key, m.name) not in UNSAFE}


def make(keys: list[str]) -> Iterator[Made]:
    """Makes the tables of the given steps."""
    wrong = [(key, name, text) for key in keys for name, text in sources(key).items()]
    right, *found = run_all([("s08", ""), *((key, text) for key, _, text in wrong)])
    for key in keys:
        outcomes = {
            n: out for (k, n, _), out in zip(wrong, found, strict=True) if k == key
        }
        rows = table(key, right, outcomes)
        text = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
        yield Made(key, LOSSES / f"{key}.json", text, AGREE)


def table(key: str, right: Outcome, outcomes: dict[str, Outcome]) -> list[list[str]]:
    """The rows of a step's table; a small loss comes first.

    Raises:
        BookError: the right model has no loss, a mistake makes the model better, or
            ``book.same_numbers`` is wrong about one.
    """
    if right.loss is None:
        raise BookError(f"the right model computes no loss: {right.text}")
    unsafe = {name: Outcome(None, why) for (k, name), why in UNSAFE.items() if k == key}
    found = sorted((outcomes | unsafe).items(), key=lambda item: printed_loss(item[1]))
    rows = [[name, *cells(key, name, out, right.loss)] for name, out in found]
    return [HEAD, ["none", f"{right.loss:.2f}", right.text], *rows]


def printed_loss(out: Outcome) -> float:
    """The loss as printed, so that rounding does not change the order."""
    return round(out.loss.mean, 2) if out.loss else np.inf


def cells(key: str, name: str, out: Outcome, right: PerToken) -> tuple[str, str]:
    """A mistake's loss, and what it writes or why it writes nothing of its own."""
    same = out.loss is not None and np.abs((out.loss - right).sums).max() < SAME
    reason = reasons(key).get(name)
    if same != (reason is not None):
        word = "a" if same else "no"
        raise BookError(f"book/same_numbers.py needs {word} reason for {key} {name}")
    if out.loss is None:
        return NO_LOSS, out.text
    change = out.loss - right
    if change.mean < 0 and not change.tied:
        raise BookError(f"{key} {name} makes the model better")
    return compared(
        out.loss, change
    ), f"as the right model: {reason}" if same else out.text


RECORDER = Recorder("book.mistake_losses", steps, make, lambda: LOSSES.glob("*.json"))

if __name__ == "__main__":
    RECORDER.main()
