"""The commands: ``gpt2 PROMPT``, and those like ``gpt2 chat``."""

import sys
from pathlib import Path
from typing import Any

import click

from course.commands import typed
from gpt2.commands.amateur import open_amateur
from gpt2.commands.chat import chat
from gpt2.commands.command import Command
from gpt2.commands.compare import compare
from gpt2.commands.diversity import diversity
from gpt2.commands.inside import inside
from gpt2.commands.layers import layers
from gpt2.commands.options import (
    AMATEUR,
    BEAMS,
    CHOICE,
    DRAFT,
    MATCHING,
    MODEL,
    NUM_SAMPLES,
    gathered,
    max_new_tokens,
)
from gpt2.commands.plot import plot
from gpt2.commands.prompt import COMMANDS, NEW_TOKENS, open_start, read_prompt
from gpt2.commands.serve import serve
from gpt2.commands.terminal import note
from gpt2.commands.writing import (
    Task,
    chosen_strategy,
    write_one,
    write_samples,
)
from gpt2.decoding.automata import make_automaton
from gpt2.writer import Writer
from runtime.defaults import interpret_operations

EXAMPLES = """\
"Once upon a time"
"Once upon a time" --greedy --max-new-tokens 40
"Tom had a red ball." --temperature 1.2 --seed 7 --show-steps
"The meaning of life is" --model gpt2 --top-k 40
"Once upon a time" --num-samples 5 --temperature 1
"Once upon a time" --beams 4
"Once upon a time" --draft ngram
"Tom is a boy. He is" --matching " [0-9]+ years old."
"Once upon a time" --greedy --amateur layers:1
"Once upon a time" --mine
--prompt-file start.txt > story.txt
chat
layers
inside "Tom has a dog." --mine
compare "Once upon a time"
diversity "Once upon a time"
plot next-token "Once upon a"
serve --port 8000
"""
HELP_END = "\n".join(
    ["\b", "Examples:", *(f"  {typed(f'gpt2 {e}')}" for e in EXAMPLES.splitlines())]
)


@click.command(cls=Command, epilog=HELP_END)
@click.argument("prompt", required=False)
@MODEL
@click.option(
    "--prompt-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the prompt from a file.",
)
@max_new_tokens(NEW_TOKENS, "Stop after N tokens.", least=0)
@NUM_SAMPLES
@CHOICE
@MATCHING
@BEAMS
@DRAFT
@gathered("contrast", AMATEUR)
@click.option(
    "--show-steps",
    is_flag=True,
    help="Show every choice in a table on stderr; the text follows at the end.",
)
@click.option(
    "--json",
    "json_object",
    is_flag=True,
    help="Print one JSON object instead of the text; its text and ids include "
    "the prompt.",
)
@click.pass_context
def continue_text(
    ctx: click.Context,
    prompt: str | None,
    prompt_file: Path | None,
    model: str,
    engine: dict[str, Any],
    contrast: dict[str, Any],
    seed: int | None,
    max_new_tokens: int | None,
    num_samples: int,
    draft: str | None,
    draft_tokens: int,
    matching: str | None,
    show_steps: bool,
    json_object: bool,
    **choice,
) -> None:
    """Continue the text PROMPT with a GPT-2.

    The text goes to stdout while it is written, all else to stderr. Without PROMPT,
    or with "-", the prompt is read from standard input. "" is an empty prompt.
    <|endoftext|> in the prompt separates texts. Write "--" before a prompt that
    starts with a dash or is the name of a command.
    """
    strategy = chosen_strategy(
        ctx,
        num_samples=num_samples,
        draft=draft,
        matching=matching,
        show_steps=show_steps,
        **choice,
    )
    if matching is not None:
        make_automaton(matching)  # before the model is opened, which takes longer
    text = read_prompt(prompt, prompt_file, literal=ctx.meta["literal"])
    start = open_start(model, text, max_new_tokens)
    guesser = start.load_draft(draft, draft_tokens) if draft else None
    writer = Writer(
        start.checkpoint,
        seed=seed,
        amateur=open_amateur(start, **contrast),
        draft=guesser,
        note=note,
        **engine,
    )
    start = start.cut_by(writer.tokenizer)
    found = None if matching is None else writer.match(matching)
    task = Task(start, strategy, json_object, found)
    if num_samples > 1:
        interrupted = write_samples(writer, task, num_samples)
    else:
        interrupted = write_one(writer, task, show_steps=show_steps)
    ctx.exit(130 if interrupted else 0)


OTHERS = dict(
    zip(COMMANDS, (chat, layers, inside, compare, diversity, plot, serve), strict=True)
)


def main() -> None:
    """Runs the command that the first argument names, or continues a text."""
    interpret_operations()
    words = sys.argv[1:]
    if words and words[0] in OTHERS:
        OTHERS[words[0]](words[1:], prog_name=typed(f"gpt2 {words[0]}"))
    continue_text(words, prog_name=typed("gpt2"))
