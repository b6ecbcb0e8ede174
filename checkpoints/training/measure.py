"""Measures a model: its loss on held-out text, and a text that it writes."""

import torch
from files import Model
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy

SAMPLE, TEMPERATURE = 100, 0.7  # tokens


@torch.no_grad()
def validation_loss(model: Model, ids: Tensor) -> float:
    """The mean loss over consecutive windows of ids ``[N]``, in nats per token."""
    model.eval()
    total, context = 0.0, model.shape.n_positions
    for start in range(0, len(ids) - 1, context):
        window = ids[start : start + context + 1]
        logits = model(window[None, :-1])[0]
        total += cross_entropy(logits, window[1:], reduction="sum").item()
    return total / (len(ids) - 1)


@torch.no_grad()
def write_sample(model: Model, tokenizer: Tokenizer, prompt: str) -> str:
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
