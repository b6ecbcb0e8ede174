"""The commands: ``python -m gpt2 PROMPT``, and ``chat`` and ``layers`` after it."""

import os
import sys
from pathlib import Path

import click

from gpt2.chat import chat
from gpt2.checkpoints import load_checkpoint
from gpt2.layers import layers
from gpt2.options import CHOICE, MODEL, Command
from gpt2.output import Run, as_json, note, statistics, write
from gpt2.prompt import COMMANDS, new_tokens, read_prompt
from gpt2.session import Session, show
from gpt2.step_table import StepTable

EXAMPLES = """\b
Examples:
  python -m gpt2 "Once upon a time"
  python -m gpt2 "Once upon a time" --greedy --max-new-tokens 40
  python -m gpt2 "Tom had a red ball." --temperature 1.2 --seed 7 --show-steps
  python -m gpt2 "The meaning of life is" --model gpt2 --top-k 40
  python -m gpt2 --prompt-file start.txt > story.txt
  echo "One day" | python -m gpt2 --json
  python -m gpt2 chat
  python -m gpt2 layers
"""


@click.command(cls=Command, epilog=EXAMPLES)
@click.argument("prompt", required=False)
@MODEL
@click.option(
    "--prompt-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the prompt from a file.",
)
@click.option(
    "--max-new-tokens",
    metavar="N",
    type=click.IntRange(min=0),
    show_default="100, or what fits",
    help="Stop after N tokens.",
)
@CHOICE
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
    max_new_tokens: int | None,
    show_steps: bool,
    json_object: bool,
    **settings,
) -> None:
    """Continue the text PROMPT with a GPT-2.

    The text goes to stdout as it is made, all else to stderr. Without PROMPT, or
    with "-", standard input is read; "" starts from nothing; <|endoftext|> inside
    it separates texts. A prompt that starts with a dash, or is just a command's
    name, goes after "--".
    """
    text = read_prompt(prompt, prompt_file, literal=ctx.meta["literal"])
    checkpoint = load_checkpoint(model)
    tokenizer = checkpoint.tokenizer
    ids = tokenizer.encode(text) or [tokenizer.end_of_text_id]
    count = new_tokens(checkpoint, len(ids), max_new_tokens)
    session, run = Session(checkpoint, **settings), Run(text, ids, tokenizer)
    live = not (show_steps or json_object)
    write(text if live else "")
    table = StepTable(tokenizer) if show_steps else None
    interrupted = show(run, session.steps(ids, count), live=live, table=table)
    if json_object:
        write(as_json(run, session.description()) + "\n")
    elif show_steps:
        write(f"{run.text}\n")
    note(statistics(run, None if session.strategy.greedy else session.seed))
    ctx.exit(130 if interrupted else 0)


OTHERS = dict(zip(COMMANDS, (chat, layers), strict=True))


def main() -> None:
    """Runs what the first word names, or else continues a text."""
    # Read when MAX is imported: its default compiles every operation on the side.
    os.environ.setdefault("MAX_EAGER_EXECUTOR", "interpreter")
    words = sys.argv[1:]
    if words and words[0] in OTHERS:
        OTHERS[words[0]](words[1:], prog_name=f"python -m gpt2 {words[0]}")
    continue_text(words, prog_name="python -m gpt2")
