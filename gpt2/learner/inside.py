"""The program that traces a text for the page "Inside", with the learner's code in it.

``gpt2/learner/inside_process.py`` starts it and reads its events. It traces the
reference at once. Then it waits for a line on standard input, so that the learner's
files are read as late as possible.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from course.memory import bound_memory
from course.registry import find_exercise
from course.worker_output import WorkerOutput
from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.loading import Checkpoint, load_checkpoint
from gpt2.learner.borrowing import Borrowed, begun, borrow
from runtime.defaults import interpret_operations, silence_advice
from runtime.kernels import use_kernels

NOTHING: dict[str, Any] = {
    "mine": None,
    "whose": {},
    "differences": [],
    "note": "",
    "unseen": {},
}


@dataclass(frozen=True)
class Request:
    """What to trace.

    Attributes:
        model: the checkpoint's name or folder.
        text: is cut into tokens by the checkpoint's tokenizer.
        mine: trace the learner's model, too.
        strict: borrow nothing.
        steps_dir: the folder with the learner's files; empty stands for ``steps/``.
        again: the reference's trace was sent before, and is not sent now.
    """

    model: str
    text: str
    mine: bool = False
    strict: bool = False
    steps_dir: str = ""
    again: bool = False

    def borrow(self) -> Borrowed:
        """Decides whose each step is, as the files are now."""
        folder = Path(self.steps_dir) if self.steps_dir else None
        return borrow(folder, strict=self.strict, own=begun(folder))


class Events:
    """Sends events, a line each: a kind, and JSON that is safe inside a script.

    Args:
        descriptor: the file to write them to. No other code writes to it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, kind: str, value: Any) -> None:
        """Sends one event."""
        rest = memoryview(f"{kind} {script_json(value)}\n".encode())
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def script_json(value: Any) -> str:
    """Returns JSON in one line. It can end no script: no ``<`` is in it.

    JavaScript reads ``NaN`` and ``Infinity``, which are no JSON.
    """
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def main() -> NoReturn:
    """Traces the text of the request, which is the program's argument."""
    interpret_operations()  # before any import of MAX
    bound_memory()
    silence_advice()
    output = WorkerOutput()
    output.is_dropped = True  # what the learner's code prints is no event
    events, start = Events(output.pipe), start_signal()
    use_kernels().announce = partial(announce, events)
    try:
        trace(Request(**json.loads(sys.argv[1])), events, start)
    except Exception as error:  # the learner's errors are in their trace
        known = isinstance(error, CheckpointError)
        events.send(
            "error", f"{error}" if known else f"{type(error).__name__}: {error}"
        )
    os._exit(0)  # threads that learner code started may never end


def start_signal() -> int:
    """Keeps standard input for the start; the learner's code finds it empty."""
    kept = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return kept


def trace(request: Request, events: Events, start: int) -> None:
    """Sends the reference, and after the start the rest of the page's data."""
    from gpt2.learner.trace_json import as_json
    from gpt2.learner.tracing import trace_reference

    checkpoint = load_checkpoint(request.model)
    ids = checkpoint.tokenizer.encode(request.text)
    reference = trace_reference(checkpoint, ids)
    sent = None if request.again else as_json(reference, checkpoint)
    events.send("reference", sent)
    if not os.read(start, 1):  # nobody wants the rest any more
        return
    given = mine(request, checkpoint, ids, reference) if request.mine else NOTHING
    told = [each["sentence"] for each in given["differences"][:1]]
    events.send("verdict", " ".join(filter(None, [given["note"], *told])))
    events.send("given", given)


def mine(
    request: Request, checkpoint: Checkpoint, ids: list[int], reference: Any
) -> dict[str, Any]:
    """Returns the trace of the learner's model, and how it differs."""
    from gpt2.learner.trace_comparison import compare, verdict
    from gpt2.learner.trace_json import (
        differences_as_json,
        mine_as_json,
        unseen,
        whose,
    )
    from gpt2.learner.tracing import run_traced

    borrowed = request.borrow()
    traced = run_traced(checkpoint, ids, borrowed)
    differences = compare(traced, reference, borrowed, checkpoint.config.n_layer)
    steps = tuple(key for key in borrowed.own if find_exercise(key).is_step)
    told = [] if differences else [verdict(differences, borrowed)]
    said = replace(borrowed, own=steps).sentence()
    ran = bool(traced.values)
    return {
        "mine": mine_as_json(traced, reference, checkpoint) if ran else None,
        "whose": whose(borrowed),
        "differences": differences_as_json(differences),
        "note": " ".join([f"{said[0].upper()}{said[1:]}.", *told]),
        "unseen": unseen(traced, reference, checkpoint) if ran else {},
    }


@contextmanager
def announce(events: Events, what: str, seconds: int | None) -> Iterator[None]:
    """Says that MAX compiles, which takes longer than any trace."""
    events.send("compiling", [what, seconds])
    try:
        yield
    finally:
        events.send("compiled", what)
