"""The encore on speculative decoding: what is guessed and what is kept, by rounds."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from rich.markup import escape

from gpt2.checkpoint.tokenizer import Tokenizer
from gpt2.decoding.generation import Strategy
from gpt2.decoding.speculation import Distributions
from gpt2.learner.voice.limits import Clock, Enough
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech

READ, TOKENS, GUESSES = 60, 24, 4
SHOWN = 12  # of the tokens that were read


def show_rounds(attempt: Attempt, speech: Speech) -> None:
    """Says the rounds of a greedy text, and whether it is the model's own."""
    text, tokenizer = attempt.story.ids[1 : READ + 1], attempt.checkpoint.tokenizer
    engine = attempt.engine()
    model = Distributions(engine, Strategy(temperature=0))
    start = escape(tokenizer.decode(text[-SHOWN:]))
    speech.line(f"Your rounds, after “… {start}”, guessed from the text itself:")
    new: list[int] = []
    try:
        for guessed, found in rounds(attempt, model, text):
            new += found
            speech.line(f"  {shown(tokenizer, guessed, found)}")
    except Enough:
        pass
    speech.line(f"  {len(new)} tokens with {model.calls} calls of the model.")
    own = engine.continue_from(0, np.array([[*text, *new][:-1]]), len(new))[0]
    if own.argmax(axis=-1).tolist() != new:
        speech.line("[red]Without your rounds the model writes other tokens.[/]")


def rounds(
    attempt: Attempt, model: Distributions, text: Sequence[int]
) -> Iterator[tuple[list[int], list[int]]]:
    """Yields what is guessed and what is new in each round, until the time is over."""
    encore, rng, ids = attempt.module, np.random.default_rng(0), list(text)
    size, clock = attempt.checkpoint.config.vocab_size, Clock(attempt.seconds)
    propose = partial(encore.propose_from_text, vocab_size=size)
    while (left := len(text) + TOKENS - len(ids)) > 0:
        clock.check()
        guessed: list[int] = []

        def draft(ids: list[int], count: int, heard: list[int] = guessed) -> tuple:
            proposal = propose(ids, count)
            heard += proposal[0]
            return proposal

        most = min(GUESSES, left - 1)
        found = encore.speculative_round(model, draft, list(ids), most, rng)
        new = [int(token) for token in found][:left]
        if not new:
            raise ValueError("a round gave no token")
        ids += new
        yield guessed, new


def shown(tokenizer: Tokenizer, guessed: list[int], new: list[int]) -> str:
    """Returns a round: kept guesses, the model's own token, and rejected guesses."""
    kept, rejected = new[:-1], guessed[len(new) - 1 :]
    parts = [f"[cyan]{name(tokenizer, token)}[/]" for token in kept]
    parts.append(f"[bold]{name(tokenizer, new[-1])}[/]")
    if rejected:
        wrong = " ".join(name(tokenizer, token) for token in rejected)
        parts.append(f"[dim]  (rejected: {wrong})[/]")
    return " ".join(parts)


def name(tokenizer: Tokenizer, token: int) -> str:
    """Returns a token's text for Rich's markup."""
    return escape(tokenizer.visible(token))
