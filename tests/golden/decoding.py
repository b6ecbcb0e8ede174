"""The results of Hugging Face's decoding, for `make_golden.py`."""

import json
from itertools import product

import numpy as np
import torch
from transformers import GenerationConfig, __version__

OPTIONS = [
    {},
    {"temperature": 0.6},
    {"temperature": 1.7},
    {"top_k": 1},
    {"top_k": 7},
    {"top_k": 100},
    {"top_p": 0.05},
    {"top_p": 0.5},
    {"top_p": 0.95},
    {"min_p": 0.02},
    {"min_p": 0.3},
    {"repetition_penalty": 1.4},
    {"repetition_penalty": 0.8},
    {"temperature": 1.5, "top_p": 0.8},
    {"top_k": 9, "top_p": 0.7},
    {"top_p": 0.9, "min_p": 0.15},
    {"repetition_penalty": 1.3, "temperature": 0.7, "top_k": 12, "top_p": 0.9},
    {"repetition_penalty": 1.2, "temperature": 1.6, "top_k": 20, "top_p": 0.93}
    | {"min_p": 0.05},
]
# For every prompt, some beams reach the EOS 140 and others do not.
BEAM_AXES = (1, 2, 3, 4), (-1.0, 0.0, 1.0, 2.0), (None, 140)


def generate(model, ids, **options):
    batch = torch.tensor(np.array(ids))[None]
    # An id past the vocabulary never comes (None would be the model's own EOS).
    never = model.config.vocab_size
    options = {"do_sample": False, "pad_token_id": 0, "eos_token_id": never, **options}
    return model.generate(batch, attention_mask=torch.ones_like(batch), **options)


def filtered(model, logits, seen, options):
    """The logits after transformers' processors, in the order of transformers."""
    off = dict(temperature=1.0, top_k=0, top_p=1.0, min_p=None, repetition_penalty=1.0)
    config = GenerationConfig(do_sample=True, **off | options)
    model._prepare_special_tokens(config, device="cpu")
    processors = model._get_logits_processor(config, input_ids_seq_length=len(seen))
    return processors(torch.tensor(seen)[None], torch.tensor(logits)[None])[0]


def processor_cases(model):
    rng = np.random.default_rng(5)
    for options, dtype in product(OPTIONS, ("float32", "float64")):
        logits = rng.normal(0, 2, 40).astype(dtype)
        # The penalty counts once for a repeated id, and depends on the logit's sign.
        best, worst = int(logits.argmax()), int(logits.argmin())
        seen = [*rng.integers(0, 40, 6).tolist(), best, best, worst]
        kept = filtered(model, logits, seen, options)
        yield {
            "dtype": dtype,
            "options": options,
            "seen": seen,
            "logits": logits.tolist(),
            "filtered": [x if x > -np.inf else None for x in kept.tolist()],
            "probabilities": kept.softmax(-1).tolist(),
        }


def beam_search(model, prompt, options):
    """The best new ids, without padding, and their score."""
    made = generate(
        model, prompt, return_dict_in_generate=True, output_scores=True, **options
    )
    new = made.sequences[0, len(prompt) :].tolist()
    if (eos := options.get("eos_token_id")) in new:
        new = new[: new.index(eos) + 1]
    if options["num_beams"] > 1:
        return new, made.sequences_scores.item()
    # transformers gives no score for one beam (greedy search), so calculate it here.
    rows = torch.cat(made.scores).log_softmax(-1)  # [T, V]
    total = rows[range(len(new)), new].sum().item()
    return new, total / len(new) ** options["length_penalty"]


def beam_cases(model, prompts):
    for prompt, k, penalty, eos in product(prompts, *BEAM_AXES):
        options = dict(num_beams=k, length_penalty=penalty, max_new_tokens=12)
        options |= {} if eos is None else {"eos_token_id": eos}
        ids, score = beam_search(model, prompt, options)
        exact_ids, exact_score = beam_search(model.double(), prompt, options)
        model.float()
        assert exact_ids == ids, "too close to call"
        assert abs(exact_score - score) < 1e-4
        asked = {"prompt": prompt.tolist(), "eos_token_id": None, **options}
        yield {**asked, "new_ids": ids, "score": score}


def write_json(path, **groups):
    """Writes one case on each line, so that a diff is readable."""
    made = f'"made_with": "transformers {__version__}"'
    lines = [
        f'"{name}": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]"
        for name, cases in groups.items()
    ]
    path.write_text("{\n" + ",\n".join([made, *lines]) + "\n}\n")


def make_decoding(model, prompts, path):
    write_json(
        path,
        processors=list(processor_cases(model)),
        beams=list(beam_cases(model, prompts)),
    )
