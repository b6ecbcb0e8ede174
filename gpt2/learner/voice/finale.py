"""After the last step: the learner's model writes, and what it is made of."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
from rich.markup import escape

from course.commands import typed
from course.history import History
from course.registry import order_of_work
from gpt2.decoding.generation import Strategy, TokenEngine
from gpt2.engine.graph_file import seconds_to_compile
from gpt2.learner.eager_engine import as_tensor, load_model
from gpt2.learner.own_decoding import OwnLoop
from gpt2.learner.own_model import open_mine
from gpt2.learner.voice.ledger import ledger
from gpt2.learner.voice.model import say_tokens
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech
from runtime.direct.operations import direct_operations
from solutions.solution_13 import MaxGPT2LMHeadModel

NEW_TOKENS = 96
STORY = 3  # as long as other texts may take


def show_finale(attempt: Attempt, speech: Speech) -> None:
    """Says a story, a table of the steps, a comparison, and what to do next."""
    started = time.perf_counter()
    ids = say_tokens(written(attempt), longer(attempt), speech, NEW_TOKENS)
    rate = len(ids) / (time.perf_counter() - started)
    history = History(attempt.steps_dir).events()
    speech.line()
    for line in ledger(attempt, history):
        speech.line(line)
    speech.line()
    speech.line(f"{comparison(attempt, ids)} [dim]{rate:.0f} tokens/s, uncompiled.[/]")
    for line in what_next(attempt):
        speech.line(line)


def longer(attempt: Attempt) -> Attempt:
    """Gives an attempt the time that a whole story takes."""
    return replace(attempt, seconds=STORY * attempt.seconds)


def written(attempt: Attempt) -> Iterator[int]:
    """Yields tokens that the learner's loop chooses from the learner's model."""
    engine: TokenEngine = open_mine(
        attempt.checkpoint,
        attempt.borrowed,
        cache=True,
        device="cpu",
        note=lambda sentence: None,
    )
    loop, ids = OwnLoop(), list(attempt.story.prompt_ids)
    greedy, rng = Strategy(temperature=0), np.random.default_rng(0)
    logits = engine.prefill(np.array([ids]))
    while True:
        ids.append(loop(logits[0], ids, greedy, rng).id)
        yield ids[-1]
        logits = engine.decode(np.array(ids[-1:]))


def comparison(attempt: Attempt, ids: list[int]) -> str:
    """Says whether the solutions choose each of these tokens, given those before it.

    If they do, they write the same text: one reading of it shows that.
    """
    text = [*attempt.story.prompt_ids, *ids]
    config, weights = attempt.checkpoint.config, attempt.checkpoint.weights
    model = load_model(MaxGPT2LMHeadModel, config, weights)
    with direct_operations():
        logits = model(as_tensor(np.array([text[:-1]])))  # [1, T, V]
    theirs = logits.to_numpy()[0, -len(ids) :].argmax(axis=-1)
    same = int((theirs == ids).cumprod().sum())
    if same == len(ids):
        return f"[green]✓[/] The solutions write the same {same} tokens, id for id."
    return f"[red]✗[/] The solutions write another token after {same}."


def what_next(attempt: Attempt) -> Iterator[str]:
    """Yields what there is to do now, with its commands."""
    own = attempt.borrowed.own
    left = [e for e in order_of_work() if not e.is_step and e.key not in own]
    rows = {e.title: typed(e.key) for e in islice(left, 3)}
    compiled = f"Compiled ({seconds_to_compile(attempt.config)} s, once)"
    rows[compiled] = typed('gpt2 "One day" --mine --compile')
    rows["The real GPT-2"] = typed('gpt2 "The meaning of life is" --model gpt2 --mine')
    rows["The lab, in your browser"] = typed("book")
    for title, command in rows.items():
        yield f"  {title}: [bold]{escape(command)}[/]"
