"""The encore on constrained decoding: answers in a form, by the learner's functions."""

import numpy as np
from rich.markup import escape

from gpt2.decoding.automata import make_automaton
from gpt2.learner.voice.limits import Clock, Enough
from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech

TOKENS = 40
# Prompts with the pattern that the answer has to match.
FORMS = (
    ('Lily asked, "Do you like my cat?" Tom said, "', "yes|no"),
    ("There was a girl named Lily. She was", " [0-9]+ years old[.]"),
    (
        "Lily is three years old. She has a red ball.\n",
        r'\{"name": "(Lily|Tom|Mia)", "age": [0-9], "toy": "[a-z]{3,6}"\}',
    ),
)


def show_forms(attempt: Attempt, speech: Speech) -> None:
    """Lets the embedded model answer in some forms, and says which the texts have."""
    tokenizer, engine = attempt.checkpoint.tokenizer, attempt.engine()
    clock = Clock(attempt.seconds)

    def next_logits(ids: list[int]) -> np.ndarray:
        clock.check()
        return engine.prefill(np.array([ids]))[0]

    for prompt, pattern in FORMS:
        automaton = make_automaton(pattern)
        ids = tokenizer.encode(prompt)
        try:
            found, matches = attempt.module.generate_matching(
                next_logits,
                ids,
                automaton.table,
                automaton.accepting,
                tokenizer.token_bytes,
                end_ids=list(tokenizer.end_ids),
                max_new_tokens=TOKENS,
            )
        except Enough:
            return
        new = tokenizer.decode([int(token) for token in found[len(ids) :]])
        verdict = "" if matches else " [dim](not complete)[/]"
        speech.line(f"[dim]only {escape(pattern)}[/]")
        shown = escape(prompt.replace("\n", " "))
        speech.line(f"  {shown}[bold]{escape(new)}[/]{verdict}")
