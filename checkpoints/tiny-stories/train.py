"""Train the embedded model, a GPT-2 of 1.1 million parameters, on TinyStories.

Needs an environment with Python 3.11, torch 2.13.0, transformers 5.23.0, tokenizers
0.23.3 and numpy: the course does not depend on PyTorch. This command made the committed
weights, on one CPU core, in this folder:

    OMP_NUM_THREADS=1 python train.py --text PATH

README.md describes the text. It has a quarter of a million tokens and is read many
times, so the model overfits. Dropout, noise, averaged weights and early stopping reduce
the overfitting.
"""

import argparse
import math
import re
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import GPT2Config, GPT2LMHeadModel

EOS, VOCAB, CONTEXT, BATCH = "<|endoftext|>", 2048, 256, 8
LEARNING_RATE, MUON_RATE, WEIGHT_DECAY = 3e-3, 0.03, 0.1
DROPOUT, NOISE = 0.1, 0.05
WARM_UP, AVERAGED, EVALUATE_EVERY = 1 / 66, 1 / 16.5, 75  # two shares of all steps

# In some quotation marks of the excerpt, UTF-8 was decoded as Windows-1252.
REPAIR = {"â€œ": '"', "â€™": "'", "â€˜": "'", "â€“": "-", "â€¦": "...", "â€": '"'}
REPAIR |= {"“": '"', "”": '"'}


def read_stories(path):
    """Returns the stories. A line break without a blank line before it ends a story."""
    text = Path(path).read_text(encoding="utf-8")
    for wrong, right in REPAIR.items():
        text = text.replace(wrong, right)
    stories = re.split(r"(?<!\n)\n(?!\n)", text)
    return [story.strip() for story in stories if story.strip()]


def split(stories, rng):
    """Splits into training and validation stories, so that no story is in both."""
    stories = [stories[i] for i in rng.permutation(len(stories))]
    held_out = len(stories) // 20
    return stories[held_out:], stories[:held_out]


def train_tokenizer(stories):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=[EOS],
        # All 256 bytes, so that the tokenizer can encode any text.
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(stories, trainer)
    return tokenizer


def encode(tokenizer, stories):
    text = EOS + EOS.join(stories) + EOS
    return torch.tensor(tokenizer.encode(text).ids)


class SharedDropout(torch.nn.Dropout):
    """Dropout with one mask per channel for a whole window (Gal & Ghahramani 2016).

    It draws fewer random numbers, which take most of plain dropout's time on a CPU.
    """

    def forward(self, x):  # [B, T, C]
        return x * super().forward(torch.ones_like(x[:, :1]))


def build_model(eos_token_id):
    config = GPT2Config(
        vocab_size=VOCAB,
        n_positions=CONTEXT,
        n_embd=128,
        n_layer=4,
        n_head=4,
        n_inner=512,
        # gelu_new in one kernel is twice as fast; the saved name is the usual one.
        activation_function="gelu_pytorch_tanh",
        bos_token_id=eos_token_id,
        eos_token_id=eos_token_id,
        attn_pdrop=0.0,
    )
    model = GPT2LMHeadModel(config)
    model.transformer.drop = SharedDropout(DROPOUT)
    for block in model.transformer.h:
        block.attn.resid_dropout = block.mlp.dropout = SharedDropout(DROPOUT)
    return model


class Muon(torch.optim.Optimizer):
    """Orthogonalized momentum (Jordan 2024) in float32; torch's is in bfloat16."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                average = self.state[p].setdefault("average", torch.zeros_like(p))
                average.lerp_(p.grad, 0.05)
                update = orthogonal(p.grad.lerp(average, 0.95))
                rate = group["lr"]
                p.mul_(1 - rate * WEIGHT_DECAY)
                p.sub_(update, alpha=rate * max(1, p.shape[1] / p.shape[0]) ** 0.5)


def orthogonal(x):
    """Approximates U V^T of x = U S V^T by five Newton-Schulz steps."""
    if x.shape[0] > x.shape[1]:
        return orthogonal(x.T).T
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x


def build_optimizers(model):
    named = list(model.transformer.named_parameters())
    matrices = [p for name, p in named if p.dim() == 2 and name.startswith("h.")]
    embeddings = [model.transformer.wte.weight, model.transformer.wpe.weight]
    vectors = [p for _, p in named if p.dim() == 1]
    groups = [{"params": embeddings}, {"params": vectors, "weight_decay": 0.0}]
    rest = dict(lr=LEARNING_RATE, betas=(0.9, 0.95), weight_decay=WEIGHT_DECAY)
    return [Muon(matrices, {"lr": MUON_RATE}), torch.optim.AdamW(groups, **rest)]


def schedules(optimizers, steps):
    def rate(step):
        cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
        return min(1, (step + 1) / (WARM_UP * steps)) * cosine

    return [torch.optim.lr_scheduler.LambdaLR(each, rate) for each in optimizers]


def windows(ids, rng):
    """Draws random windows, with some inputs replaced by other tokens of the text.

    The noise keeps the model from relying on a single token (Xie et al. 2017).
    """
    starts = rng.integers(0, len(ids) - CONTEXT, BATCH)
    batch = torch.stack([ids[s : s + CONTEXT + 1] for s in starts])
    inputs, targets = batch[:, :-1], batch[:, 1:]
    other = ids[torch.randint(len(ids), inputs.shape)]
    return torch.where(torch.rand(inputs.shape) < NOISE, other, inputs), targets


@torch.no_grad()
def validation_loss(model, ids):
    """The mean loss over consecutive windows, in nats per token."""
    model.eval()
    total = 0.0
    for start in range(0, len(ids) - 1, CONTEXT):
        window = ids[start : start + CONTEXT + 1]
        logits = model(window[None, :-1]).logits[0]
        total += cross_entropy(logits, window[1:], reduction="sum").item()
    return total / (len(ids) - 1)


def train_step(model, batch, optimizers, schedulers):
    inputs, targets = batch
    model.train()
    logits = model(inputs, use_cache=False).logits
    loss = cross_entropy(logits.flatten(0, 1), targets.flatten())
    model.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for each in (*optimizers, *schedulers):
        each.step()
    return loss.item()


def save(model, out):
    model.config.activation_function = "gelu_new"
    model.save_pretrained(out)
    # The program that generates sets the decoding options.
    (out / "generation_config.json").unlink(missing_ok=True)


def train(model, ids, validation, args, bits_per_byte):
    optimizers = build_optimizers(model)
    decay = max(0.0, 1 - 1 / (AVERAGED * args.steps))
    schedulers = schedules(optimizers, args.steps)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    rng, began = np.random.default_rng(args.seed), time.time()
    losses, best = [], math.inf
    for step in range(1, args.steps + 1):
        batch = windows(ids, rng)
        losses.append(train_step(model, batch, optimizers, schedulers))
        average.update_parameters(model)
        if step % EVALUATE_EVERY and step != args.steps:
            continue
        loss = validation_loss(average.module, validation)
        print(
            f"step {step}  {time.time() - began:.0f} s  train {np.mean(losses):.3f}"
            f"  validation {loss:.3f} = {loss * bits_per_byte:.3f} bits per byte",
            flush=True,
        )
        losses = []
        if loss < best:
            best = loss
            save(average.module, args.out)


def show_samples(out, tokenizer):
    model = GPT2LMHeadModel.from_pretrained(out)
    prompt = torch.tensor([tokenizer.encode("Once upon a time").ids])
    common = dict(max_new_tokens=200, pad_token_id=0, top_k=0)
    common["attention_mask"] = torch.ones_like(prompt)
    for temperature in (0, 0.8, 0.8):
        chosen = dict(do_sample=temperature > 0, temperature=temperature or None)
        ids = model.generate(prompt, **common, **chosen)[0].tolist()
        print(f"\ntemperature {temperature}\n{tokenizer.decode(ids)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    stories, held_out = split(read_stories(args.text), np.random.default_rng(args.seed))
    tokenizer = train_tokenizer(stories)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(args.out / "tokenizer.json"))
    ids, validation = encode(tokenizer, stories), encode(tokenizer, held_out)
    # The end of a story counts as one byte: in the file it is a line break.
    size = sum(len(story.encode()) + 1 for story in held_out)
    model = build_model(tokenizer.token_to_id(EOS))
    print(f"{model.num_parameters()} parameters, {len(ids)} training tokens")
    print(f"{len(held_out)} stories held out: {len(validation)} tokens, {size} bytes")
    bits_per_byte = (len(validation) - 1) / size / math.log(2)
    train(model, ids, validation, args, bits_per_byte)
    show_samples(args.out, tokenizer)


if __name__ == "__main__":
    main()
