# /// script
# requires-python = "==3.11.*"
# dependencies = ["torch==2.13.0", "transformers==5.23.0", "numpy"]
# ///
"""Write the golden files of this folder: the results of Hugging Face's models.

The lines above list the packages. uv installs them and runs this file:

    uv run --script tests/golden/make_golden.py [--out DIR]

Run this command again after each change of `checkpoints/tiny-stories`. Seeds and
prompts are fixed. With these, the best logit is always more than 1e-3 above the second,
so rounding cannot change a right answer.

odd, inner     GPT-2s with random weights in Hugging Face's format
llama,         Llamas with random weights, with a head of its own and with a tied head
llama-tied
odd.npz ...    prompt_0 ... [T], their greedy_0 ... [64], gaps [N] (the smallest lead of
               a best logit in each text), logits [T, V] of the last prompt
tiny-stories   the same of the embedded model, but the prompts' texts [N], last_logits
.npz           [N, V] and the sha256 of the weights instead of logits
decoding.json  processors: logits, seen ids and options in; filtered logits (null is
               removed) and probabilities out. beams, on `odd`: options in, new ids
               and their score out
"""

import argparse
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from decoding import generate, make_decoding
from llamas import LLAMAS, llama
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent
STORIES = HERE.parents[1] / "checkpoints" / "tiny-stories"
NEW_TOKENS, GAP = 64, 1e-3

# Pairwise different sizes, so that no swapped axis can hide; the longest prompt and its
# continuation fill `odd` to its last position.
Random = tuple[int, float, dict[str, Any]]
RANDOM: dict[str, Random] = {  # name: seed, standard deviation of the parameters, sizes
    "odd": (18, 0.25, dict(vocab_size=211, n_positions=80, n_embd=30, n_head=5)),
    "inner": (13, 0.3, dict(vocab_size=97, n_positions=75, n_embd=28, n_head=4)),
}
RANDOM["odd"][2].update(n_layer=3)
RANDOM["inner"][2].update(n_layer=2, n_inner=45, layer_norm_epsilon=3e-3)
LENGTHS = {
    "odd": (1, 7, 16),
    "inner": (1, 4, 11),
    "llama": (1, 6, 15),
    "llama-tied": (1, 5, 10),
}
STORY_PROMPTS = [  # the first STORIES_KEPT without close choices are kept
    "<|endoftext|>",
    "Once upon a time",
    "One day, a little girl named Lily went to the park with her",
    'The cat said, "I am hungry."\n\nSo the bird',
    "Tom and Ben were friends. They liked to play with",
    "The dog was very",
    "It was a hot day. Mom and",
    "Once",
]
STORIES_KEPT = 5


def gpt2(sizes):
    config = GPT2Config(**sizes, bos_token_id=None, eos_token_id=None)
    return GPT2LMHeadModel(config).eval()


def random_model(make, seed, spread, sizes):
    """A model without parameters of exactly 0 or 1, so that every parameter matters."""
    torch.manual_seed(seed)
    model = make(sizes)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            is_scale = ("ln_" in name or "norm" in name) and name.endswith("weight")
            parameter.normal_(mean=float(is_scale), std=spread)
    return model


def random_prompts(seed, lengths, vocab_size):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, vocab_size, n) for n in lengths]


@torch.no_grad()
def logits_of(model, ids):
    return model(torch.tensor(np.array(ids))[None]).logits[0].numpy()  # [T, V]


def greedy(model, prompt):
    """The greedy continuation, and the smallest lead of its best logits."""
    ids = generate(model, prompt, max_new_tokens=NEW_TOKENS)[0].numpy()
    rows = logits_of(model, ids[:-1])[len(prompt) - 1 :]
    second, best = np.sort(rows, axis=-1)[:, -2:].T
    new = ids[len(prompt) :]
    assert len(new) == NEW_TOKENS
    assert (rows.argmax(-1) == new).all()
    return new, (best - second).min()


def arrays(model, prompts):
    found = [greedy(model, prompt) for prompt in prompts]
    named = {f"prompt_{i}": np.asarray(p) for i, p in enumerate(prompts)}
    named |= {f"greedy_{i}": new for i, (new, _) in enumerate(found)}
    gaps = np.array([gap for _, gap in found], dtype=np.float32)
    assert gaps.min() > GAP, f"too close to call: {gaps}"
    return named | {"gaps": gaps}


def make_random(name, out):
    seed, spread, sizes = (RANDOM | LLAMAS)[name]
    model = random_model(llama if name in LLAMAS else gpt2, seed, spread, sizes)
    model.save_pretrained(out / name)
    (out / name / "generation_config.json").unlink(missing_ok=True)
    (out / name / "model.safetensors").chmod(0o644)
    prompts = random_prompts(seed, LENGTHS[name], sizes["vocab_size"])
    logits = logits_of(model, prompts[-1])
    np.savez(out / f"{name}.npz", **arrays(model, prompts), logits=logits)
    return model, prompts


def make_stories(out):
    model = GPT2LMHeadModel.from_pretrained(STORIES, dtype=torch.float32).eval()
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(STORIES / "tokenizer.json"))
    pool = [(text, tokenizer.encode(text)) for text in STORY_PROMPTS]
    kept = [(text, ids) for text, ids in pool if greedy(model, ids)[1] > GAP]
    texts, prompts = zip(*kept[:STORIES_KEPT], strict=True)
    assert 1 in map(len, prompts)
    last = np.stack([logits_of(model, ids)[-1] for ids in prompts])  # [N, V]
    # The check compares this digest with the committed weights.
    digest = hashlib.sha256((STORIES / "model.safetensors").read_bytes()).hexdigest()
    about = {"texts": np.array(texts), "sha256": np.array(digest)}
    np.savez(
        out / "tiny-stories.npz", **arrays(model, prompts), **about, last_logits=last
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE)
    out = parser.parse_args().out
    make_stories(out)
    for name in ("inner", *LLAMAS):
        make_random(name, out)
    odd, prompts = make_random("odd", out)
    make_decoding(odd, prompts, out / "decoding.json")


if __name__ == "__main__":
    main()
