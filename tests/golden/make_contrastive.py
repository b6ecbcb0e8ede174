# /// script
# requires-python = "==3.11.*"
# dependencies = ["torch==2.6.0", "transformers==4.49.0", "numpy<3"]
# ///
"""Write `contrastive.json`: the texts of Hugging Face's contrastive search.

transformers 5 has no contrastive search any more, so this file needs an older version
than `make_golden.py`. The lines above list the packages. uv installs them and runs this
file:

    uv run --script tests/golden/make_contrastive.py [--out DIR]

searches    on the checkpoint `odd`: options in, new ids out. Rounding cannot change a
            right answer: float32 and float64 give the same ids.
"""

import argparse
import json
from itertools import product
from pathlib import Path

import numpy as np
import torch
from transformers import GPT2LMHeadModel, __version__

HERE = Path(__file__).resolve().parent
NEW_TOKENS = 12
AXES = (2, 4), (0.2, 0.6, 0.9), (None, 140)  # top_k, penalty_alpha, end


@torch.no_grad()
def search(model, prompt, end, **options):
    batch = torch.tensor(np.array(prompt))[None]
    # An id past the vocabulary never comes (None would be the model's own end).
    end = model.config.vocab_size if end is None else end
    made = model.generate(
        batch,
        attention_mask=torch.ones_like(batch),
        do_sample=False,
        max_new_tokens=NEW_TOKENS,
        eos_token_id=end,
        pad_token_id=0,
        **options,
    )
    return made[0, len(prompt) :].tolist()


def cases(model, prompts):
    exact = GPT2LMHeadModel.from_pretrained(HERE / "odd").eval().double()
    for prompt, top_k, alpha, end in product(prompts, *AXES):
        options = {"top_k": top_k, "penalty_alpha": alpha}
        new = search(model, prompt, end, **options)
        assert new == search(exact, prompt, end, **options), "too close to call"
        asked = {"prompt": prompt, **options, "max_new_tokens": NEW_TOKENS}
        yield {**asked, "eos_token_id": end, "new_ids": new}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE)
    out = parser.parse_args().out / "contrastive.json"
    model = GPT2LMHeadModel.from_pretrained(HERE / "odd").eval()
    kept = np.load(HERE / "odd.npz")
    prompts = [kept[f"prompt_{i}"].tolist() for i in range(3)]
    lines = ",\n".join(map(json.dumps, cases(model, prompts)))
    made = f'"made_with": "transformers {__version__}"'
    out.write_text(f'{{\n{made},\n"searches": [\n{lines}\n]\n}}\n')


if __name__ == "__main__":
    main()
