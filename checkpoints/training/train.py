# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "torch==2.13.0", "numpy==2.5.5", "tokenizers==0.23.3", "safetensors==0.8.0",
#   "click==8.5.1", "rich==15.0.0",
# ]
# [tool.uv]
# exclude-newer = "2026-11-24T00:00:00Z"
# ///
"""Trains a small GPT-2, or a Llama, on a text of your own.

uv installs what the lines above list:

uv run checkpoints/training/train.py my-text.txt --out my-model
"""

import math
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from files import KINDS, Model, ModelError, load, load_tokenizer, save
from loop import Budget, train
from measure import validation_loss, write_sample
from model import Shape
from record import Moment, Record
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import SafetensorError
from text import Text, TextError, read_text

# The shares of the training after which the model is measured, and writes a sample.
MOMENTS = (0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1)

console = Console()


@dataclass(frozen=True)
class Trainee:
    """A model in training, and what belongs to it.

    Attributes:
        out: the folder that keeps the model with the lowest validation loss.
        prompt: the samples continue this text.
        keep_all: keep the model of each moment, too, in ``out/step-NNNNNN``.
    """

    model: Model
    text: Text
    out: Path
    prompt: str
    keep_all: bool

    def measure(self, record: Record) -> None:
        """Measures the model, saves it, and prints a sample."""
        loss = validation_loss(self.model, self.text.validation)
        moment = record.measure(loss, self.text.bits_per_byte(loss))
        if moment is record.best:
            save(self.model, self.out)
        if self.keep_all:
            save(self.model, self.out / f"step-{moment.step:06d}")
        record.write()
        print_moment(moment, write_sample(self.model, self.text.tokenizer, self.prompt))


def print_moment(moment: Moment, sample: str) -> None:
    """Prints a measured moment and its sample."""
    loss = f"validation {moment.validation:.3f} = {moment.bits_per_byte:.3f} bits/byte"
    console.print(f"[bold]step {moment.step}[/]  {moment.seconds:.0f} s  {loss}")
    console.print(f"  {sample}\n", markup=False, highlight=False, style="dim")


def follow(steps: Iterator[Moment], trainee: Trainee, record: Record) -> Moment:
    """Runs a training with a progress bar, until its end or Ctrl-C.

    Returns:
        The moment with the lowest validation loss.
    """
    due = list(MOMENTS)
    columns = TextColumn("step {task.fields[step]}"), BarColumn(None)
    numbers = TextColumn("loss {task.fields[loss]:.3f}"), TimeRemainingColumn()
    with Progress(*columns, *numbers, console=console) as progress:
        task = progress.add_task("", total=1.0, step=0, loss=math.nan)
        try:
            for moment in steps:
                record.add(moment)
                now = {"step": moment.step, "loss": record.mean_loss()}
                progress.update(task, completed=moment.done, **now)  # type: ignore[arg-type]
                if moment.done >= due[0]:
                    due = [share for share in due if share > moment.done]
                    trainee.measure(record)
        except KeyboardInterrupt:
            console.print("Stopped.")
    if record.best is None:
        sys.exit("Nothing is kept, since nothing was learned yet.")
    return record.best


@click.command()
@click.argument("path", metavar="TEXT", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="folder")
@click.option("--minutes", type=click.FloatRange(0.1), default=10.0, show_default=True)
@click.option("--steps", type=click.IntRange(1), help="so many steps, in any time")
@click.option(
    "--kind", type=click.Choice(list(KINDS)), default="gpt2", show_default=True
)
@click.option("--vocabulary", type=click.IntRange(257), default=2048, show_default=True)
@click.option("--layers", type=click.IntRange(1), default=4, show_default=True)
@click.option("--heads", type=click.IntRange(1), default=4, show_default=True)
@click.option("--channels", type=click.IntRange(1), default=224, show_default=True)
@click.option(
    "--dropout", type=click.FloatRange(0, 0.9), default=0.1, show_default=True
)
@click.option(
    "--from", "start", type=click.Path(path_type=Path), help="train on from it"
)
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True
)
@click.option("--prompt", default="", help="the samples continue this")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--keep-all", is_flag=True, help="keep the model of each sample, too")
@click.option(
    "--compile", "compiled", is_flag=True, help="train faster; needs a C++ compiler"
)
def main(
    path: Path,
    out: Path,
    minutes: float,
    steps: int | None,
    kind: str,
    vocabulary: int,
    layers: int,
    heads: int,
    channels: int,
    dropout: float,
    start: Path | None,
    rate: float,
    prompt: str,
    seed: int,
    keep_all: bool,
    compiled: bool,
) -> None:
    """Train a GPT-2 on TEXT, a file in UTF-8 with <|endoftext|> between documents.

    Ctrl-C stops early and keeps the best model so far. --kind llama trains a Llama.
    With --from, the training begins with the weights, shape and tokenizer of a model
    from this program, such as the embedded one; a --rate of 0.3 then changes it more
    gently.
    """
    if channels % heads:
        raise click.UsageError(f"{heads} heads cannot share {channels} channels")
    if kind == "llama" and channels // heads % 2:
        raise click.UsageError("the heads of a Llama need an even number of channels")
    if (out / "model.safetensors").exists():
        raise click.UsageError(f"{out} has a model already: name another folder")
    if compiled and not shutil.which(os.environ.get("CXX", "g++")):
        raise click.UsageError("--compile needs a C++ compiler, such as g++")
    torch.manual_seed(seed)
    try:
        text = read_text(path, load_tokenizer(start) if start else vocabulary)
        shape = Shape(text.tokenizer.get_vocab_size(), 256, channels, layers, heads)
        model = load(start, dropout) if start else KINDS[kind](shape, dropout)
        print_sizes(text, model)
        if compiled:
            model.compile()
        out.mkdir(parents=True, exist_ok=True)
        text.tokenizer.save(str(out / "tokenizer.json"))
        budget = Budget(steps, 60 * minutes)
        moments = train(model, text.training, budget, seed, rate)
        trainee = Trainee(model, text, out, prompt, keep_all)
        best = follow(moments, trainee, Record(out / "training.json"))
    except TextError as error:
        sys.exit(f"{path} {error}.")
    except ModelError as error:
        sys.exit(f"{start} {error}.")
    except (OSError, SafetensorError) as error:
        sys.exit(f"The model cannot be kept in {out}: {error}.")
    except KeyboardInterrupt:
        sys.exit("\nStopped before the training.")
    console.print(
        f"{out} has the model of step {best.step}, which has the lowest validation "
        f"loss. Try it: uv run gpt2 --model {out}"
    )


def print_sizes(text: Text, model: Model) -> None:
    """Prints what the model learns from, and how large it is."""
    console.print(
        f"{len(text.training):,} tokens to learn from; {len(text.validation):,} more, "
        f"{text.validation_bytes:,} bytes, are held out"
    )
    console.print(f"{sum(p.numel() for p in model.parameters()):,} weights\n")


if __name__ == "__main__":
    main()
