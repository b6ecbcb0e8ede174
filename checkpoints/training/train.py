# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "torch==2.13.0", "numpy==2.5.5", "tokenizers==0.23.3", "safetensors==0.8.0",
#   "click==8.5.1", "rich==15.0.0",
# ]
# [tool.uv]
# exclude-newer = "2026-11-24T00:00:00Z"
# ///
"""Trains a small GPT-2 on a text of your own. The lines above list what uv installs.

uv run checkpoints/training/train.py my-text.txt --out my-model
"""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from model import GPT2, Shape, save
from optimizers import build_optimizers
from record import Moment, Record
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from text import batches, encode, read_documents, split, train_tokenizer
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy

BATCH, WARM_UP = 24, 100  # windows in a step; steps until the full learning rate
# The shares of the training after which the model is measured, and writes a sample.
MOMENTS = (0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1)
SAMPLE, TEMPERATURE = 100, 0.7  # tokens

console = Console()


@dataclass(frozen=True)
class Text:
    """A text as ids: what the model learns from, and what only measures it."""

    training: Tensor
    validation: Tensor
    validation_bytes: int

    def bits_per_byte(self, loss: float) -> float:
        """Converts a loss in nats per token: bits per byte compare tokenizers."""
        tokens = len(self.validation) - 1
        return loss * tokens / self.validation_bytes / math.log(2)


@dataclass(frozen=True)
class Budget:
    """How long to train: a number of steps or, without one, a time in seconds."""

    steps: int | None
    seconds: float

    def done(self, step: int, began: float) -> float:
        """Returns the share of the training that is done, from 0 to 1."""
        if self.steps:
            return step / self.steps
        return min(1.0, (time.monotonic() - began) / self.seconds)


def precision() -> AbstractContextManager:
    """Multiplies in bfloat16 where the processor has instructions for it."""
    fast = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    return torch.autocast("cpu", torch.bfloat16, enabled=fast)


def loss_of(model: GPT2, inputs: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean of -log p(target), in nats per token."""
    with precision():
        logits = model(inputs)
    return cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def train(model: GPT2, text: Text, budget: Budget, seed: int) -> Iterator[Moment]:
    """Trains the model; yields after each step, and before the first."""
    optimizers = build_optimizers(model)
    groups = [group for each in optimizers for group in each.param_groups]
    highest = [group["lr"] for group in groups]
    began = time.monotonic()
    yield Moment(step=0, done=0.0, seconds=0.0, loss=math.nan)
    stream = batches(text.training, BATCH, model.shape.n_positions, seed)
    for step, (inputs, targets) in enumerate(stream, 1):
        rate = min(1, step / WARM_UP) * (1 - budget.done(step - 1, began))
        for group, most in zip(groups, highest, strict=True):
            group["lr"] = most * rate
        model.train()
        loss = loss_of(model, inputs, targets)
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        done = budget.done(step, began)
        yield Moment(step, done, time.monotonic() - began, loss.item())
        if done >= 1:
            return


@torch.no_grad()
def validation_loss(model: GPT2, ids: Tensor) -> float:
    """The mean loss over consecutive windows, in nats per token."""
    model.eval()
    total, context = 0.0, model.shape.n_positions
    for start in range(0, len(ids) - 1, context):
        window = ids[start : start + context + 1]
        logits = model(window[None, :-1])[0]
        total += cross_entropy(logits, window[1:], reduction="sum").item()
    return total / (len(ids) - 1)


@torch.no_grad()
def write_sample(model: GPT2, tokenizer: Tokenizer, prompt: str) -> str:
    """Continues the prompt; without a prompt, begins a new document."""
    model.eval()
    ids, random = tokenizer.encode(prompt).ids, torch.Generator().manual_seed(0)
    for _ in range(SAMPLE):
        context = torch.tensor([[0, *ids][-model.shape.n_positions :]])
        shares = (model(context)[0, -1] / TEMPERATURE).softmax(-1)
        ids.append(int(shares.multinomial(1, generator=random)))
        if ids[-1] == 0:  # the end of the document
            break
    return tokenizer.decode(ids)


@dataclass(frozen=True)
class Trainee:
    """A model in training, and what belongs to it.

    Attributes:
        out: the folder that keeps the model with the lowest validation loss.
        prompt: the samples continue this text.
        keep_all: keep the model of each moment, too, in ``out/step-NNNNNN``.
    """

    model: GPT2
    tokenizer: Tokenizer
    text: Text
    out: Path
    prompt: str
    keep_all: bool

    def measure(self, record: Record) -> None:
        """Measures the model, shows a sample, and saves."""
        loss = validation_loss(self.model, self.text.validation)
        moment = record.measure(loss, self.text.bits_per_byte(loss))
        show(moment, write_sample(self.model, self.tokenizer, self.prompt))
        if moment is record.best:
            save(self.model, self.out)
        if self.keep_all:
            save(self.model, self.out / f"step-{moment.step:06d}")
        record.write()


def follow(moments: Iterator[Moment], trainee: Trainee, record: Record) -> None:
    """Runs a training with a progress bar; measures the model at each of MOMENTS."""
    due = list(MOMENTS)
    columns = TextColumn("step {task.fields[step]}"), BarColumn(None)
    numbers = TextColumn("loss {task.fields[loss]:.3f}"), TimeRemainingColumn()
    with Progress(*columns, *numbers, console=console) as progress:
        task = progress.add_task("", total=1.0, step=0, loss=math.nan)
        for moment in moments:
            record.add(moment)
            progress.update(
                task,
                completed=moment.done,
                step=moment.step,
                loss=record.mean_loss(),
            )
            if moment.done >= due[0]:
                due = [share for share in due if share > moment.done]
                trainee.measure(record)


def show(moment: Moment, sample: str) -> None:
    """Prints a measured moment and its sample."""
    loss = f"validation {moment.validation:.3f} = {moment.bits_per_byte:.3f} bits/byte"
    console.print(f"[bold]step {moment.step}[/]  {moment.seconds:.0f} s  {loss}")
    console.print(f"  {sample}\n", markup=False, highlight=False, style="dim")


def build_text(path: Path, tokenizer_size: int) -> tuple[Text, Tokenizer]:
    """Reads the text and trains its tokenizer on the training documents."""
    documents, held_out = split(read_documents(path))
    tokenizer = train_tokenizer(documents, tokenizer_size)
    size = sum(len(document.encode()) + 1 for document in held_out)  # an end is a byte
    text = Text(encode(tokenizer, documents), encode(tokenizer, held_out), size)
    console.print(
        f"{len(documents):,} documents, {len(text.training):,} tokens; "
        f"{len(held_out)} more documents, {size:,} bytes, are held out"
    )
    return text, tokenizer


@click.command()
@click.argument("path", metavar="TEXT", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="folder")
@click.option("--minutes", type=click.FloatRange(0.1), default=10.0, show_default=True)
@click.option("--steps", type=click.IntRange(1), help="train so many steps instead")
@click.option("--vocabulary", type=click.IntRange(257, 65535), default=2048)
@click.option("--layers", type=click.IntRange(1), default=4, show_default=True)
@click.option("--heads", type=click.IntRange(1), default=4, show_default=True)
@click.option("--channels", type=click.IntRange(1), default=224, show_default=True)
@click.option("--dropout", type=click.FloatRange(0, 0.9), default=0.1)
@click.option("--prompt", default="", help="the samples continue this")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--moments", is_flag=True, help="keep the model of each moment, too")
def main(
    path: Path,
    out: Path,
    minutes: float,
    steps: int | None,
    vocabulary: int,
    layers: int,
    heads: int,
    channels: int,
    dropout: float,
    prompt: str,
    seed: int,
    moments: bool,
) -> None:
    """Train a GPT-2 on TEXT, a file in UTF-8 with <|endoftext|> between documents."""
    if channels % heads:
        raise click.UsageError(f"{heads} heads cannot share {channels} channels")
    if (out / "model.safetensors").exists():
        raise click.UsageError(f"{out} has a model already: name another folder")
    torch.manual_seed(seed)
    text, tokenizer = build_text(path, vocabulary)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    shape = Shape(tokenizer.get_vocab_size(), 256, channels, layers, heads)
    model = GPT2(shape, dropout)
    console.print(f"{sum(p.numel() for p in model.parameters()):,} weights\n")
    record = Record(out / "training.json")
    trainee = Trainee(model, tokenizer, text, out, prompt, moments)
    try:
        follow(train(model, text, Budget(steps, 60 * minutes), seed), trainee, record)
    except KeyboardInterrupt:
        console.print("\nStopped.")
    if record.best is None:
        raise SystemExit("Nothing was learned yet, so nothing is kept.")
    console.print(
        f"{out} has the model of step {record.best.step}, whose validation loss is "
        f"the lowest. Try it: uv run gpt2 --model {out}"
    )


if __name__ == "__main__":
    main()
