"""The encore on the tokenizer: how the learner's functions cut a sentence."""

from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from types import ModuleType

from rich.markup import escape

from gpt2.learner.voice.parts import Attempt
from gpt2.learner.voice.speech import Speech

Ranks = Mapping[tuple[str, str], int]

MERGES = 50
ROWS = 12  # of a word that is merged


def show_merging(attempt: Attempt, speech: Speech) -> None:
    """Says a sentence's tokens, a word's merges, and what a story teaches."""
    module, tokenizer = attempt.module, attempt.checkpoint.tokenizer
    prompt = attempt.story.prompt
    ranks = {pair: rank for rank, pair in enumerate(tokenizer.merges)}
    speech.line(f"Your tokenizer cuts “{escape(prompt)}”")
    speech.line(f"  {spaced(module.tokenize(prompt, ranks))}")
    speech.line(comparison(attempt, ranks))
    longest = max(module.pre_tokenize(prompt), key=len)
    speech.line("Its longest word, merge by merge:")
    for symbols in islice(merging(module, longest, ranks), ROWS):
        speech.line(f"  {spaced(symbols)}")
    learned = module.learn_merges(tokenizer.decode(attempt.story.ids), MERGES)
    speech.line(f"{len(learned)} merges that the whole story teaches:")
    speech.line(f"  {spaced(map(''.join, learned))}")


def comparison(attempt: Attempt, ranks: Ranks) -> str:
    """Says whether the learner's ids are those of the model's own tokenizer."""
    tokenizer, prompt = attempt.checkpoint.tokenizer, attempt.story.prompt
    ids = list(attempt.module.encode(prompt, tokenizer.vocabulary, ranks))
    if ids == tokenizer.encode(prompt):
        return f"[green]✓[/] The model's own tokenizer gives the same {len(ids)} ids."
    return "[red]✗[/] The model's own tokenizer gives other ids."


def merging(module: ModuleType, piece: str, ranks: Ranks) -> Iterator[list[str]]:
    """Yields a piece's symbols before all merges, and after each merge."""
    symbols = module.tokenize(piece, {})
    yield symbols
    while known := [pair for pair in pairwise(symbols) if pair in ranks]:
        symbols = module.merge_pair(symbols, min(known, key=ranks.__getitem__))
        yield symbols


def spaced(symbols: Iterator[str] | list[str]) -> str:
    """Returns symbols on one line."""
    return escape(" ".join(symbols))
