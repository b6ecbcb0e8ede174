"""Records the embedded model's training: ``python -m book.lab.training``.

``--moments FOLDER`` names what checkpoints/training/train.py kept, with ``--keep-all``,
of the training that made the embedded model. The repository has no such folder, so
``--check`` computes the last moment alone, from the embedded model.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from book import play
from book.inside import SENTENCE
from book.lab.packing import DATA, as_script, read_script
from book.lab.shares import attention, pack_shares, shares_agree, sharpest
from book.neighbours import directions, nearest
from book.pages import BookError
from book.recorder import Made, Recorder
from gpt2.checkpoint.configuration import read_config
from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.safetensors_files import read_weights
from gpt2.checkpoint.weights import convert_weights
from gpt2.decoding.generation import Strategy, choose

PROMPT, TEMPERATURE, SEED, TOKENS = "Once upon a time", 0.7, 1, 120
WORDS = " dog", " she", " happy", " said"
# Rounding to 8 bits changes a matrix by less than 1 %; another model differs by more.
ROUNDING = 0.02

PATH = DATA / "training.js"
COSINE = 1.1e-3  # the last place of a cosine


def story(weights: play.Weights) -> str:
    """The story that a model writes, drawn as the command ``gpt2`` draws it."""
    (rng,) = np.random.default_rng(SEED).spawn(1)
    strategy = Strategy(temperature=TEMPERATURE, top_p=1.0)
    tokenizer, ids = play.checkpoint().tokenizer, play.encode(PROMPT)
    for _ in range(TOKENS):
        logits = play.logits(ids, weights)[-1]
        ids.append(choose(logits, ids, strategy, rng, look=False).id)
        if ids[-1] in tokenizer.end_ids:
            break
    return printable(tokenizer.decode(ids))


def printable(text: str) -> str:
    """The text with U+FFFD for each control character but the line end."""
    bad = "\N{REPLACEMENT CHARACTER}"
    return "".join(c if c == "\n" or c.isprintable() else bad for c in text)


def word_neighbours(weights: play.Weights, word: str) -> list[tuple[str, float]]:
    """The tokens that are most similar to a word, with rounded cosines.

    Raises:
        BookError: the word is not a single token.
    """
    number, *more = play.encode(word)
    if more:
        raise BookError(f"{word!r} is not one token: change WORDS in {__name__}")
    table = directions(weights)
    found = nearest(table, table[number], {number})
    return [(token, round(cosine, 3)) for token, cosine in found]


def look_at(weights: play.Weights, head: dict[str, int]) -> dict[str, Any]:
    """All that the page shows of one model."""
    shares = attention(SENTENCE, weights)[head["layer"], head["head"]]
    return {
        "story": story(weights),
        "shares": pack_shares(shares),
        "neighbours": [word_neighbours(weights, word) for word in WORDS],
    }


def frame() -> dict[str, Any]:
    """What all moments have in common."""
    return {
        "prompt": PROMPT,
        "temperature": TEMPERATURE,
        "seed": SEED,
        "tokens": play.tokens(SENTENCE),
        "head": sharpest(SENTENCE),
        "words": list(WORDS),
    }


def recording(folder: Path) -> dict[str, Any]:
    """The whole data of the page.

    Raises:
        BookError: the folder is incomplete, or its last model is not the embedded one.
    """
    training, common = read_training(folder), frame()
    *earlier, last = training.pop("moments")
    models = [read_model(step_folder(folder, moment)) for moment in earlier]
    check_embedded(read_model(step_folder(folder, last)), folder)
    moments = [
        moment | look_at(weights, common["head"])
        for moment, weights in zip(
            [*earlier, last], [*models, play.trained()], strict=True
        )
    ]
    return common | training | {"moments": moments}


def read_training(folder: Path) -> dict[str, Any]:
    """The losses of a training, as checkpoints/training/record.py writes them."""
    try:
        content = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        return {name: content[name] for name in ("moments", "steps_per_loss", "losses")}
    except (OSError, ValueError, KeyError) as error:
        raise BookError(f"{folder}/training.json cannot be read ({error})") from error


def step_folder(folder: Path, moment: dict[str, Any]) -> Path:
    """The folder of a moment's model."""
    return folder / f"step-{moment['step']:06d}"


def read_model(folder: Path) -> play.Weights:
    """The weights of a moment's model, by name."""
    try:
        config = read_config(folder / "config.json")
        return play.short_names(convert_weights(read_weights(folder), config))
    except (OSError, CheckpointError) as error:
        raise BookError(str(error)) from error


def check_embedded(weights: play.Weights, folder: Path) -> None:
    """Raises ``BookError`` unless these weights are the embedded model's, rounded."""
    own = play.trained()
    if weights.keys() != own.keys() or not all(
        nearly_equal(weights[name], own[name]) for name in own
    ):
        raise BookError(
            f"the last model in {folder} is not the embedded model: "
            "replace that one first"
        )


def nearly_equal(a: np.ndarray, b: np.ndarray) -> bool:
    """True if two arrays differ by rounding alone."""
    return a.shape == b.shape and bool(
        np.linalg.norm(a - b) <= ROUNDING * np.linalg.norm(b)
    )


def with_present_end(kept: dict[str, Any]) -> dict[str, Any]:
    """A recording whose last moment shows the embedded model as it is now."""
    common = frame()
    *earlier, last = kept["moments"]
    last = last | look_at(play.trained(), common["head"])
    return kept | common | {"moments": [*earlier, last]}


def recordings_agree(kept: str, fresh: str) -> bool:
    """True if two scripts hold the same recording, apart from rounding."""
    first, second = read_script(kept), read_script(fresh)
    moments = zip(first.pop("moments"), second.pop("moments"), strict=True)
    return first == second and all(moments_agree(a, b) for a, b in moments)


def moments_agree(kept: dict[str, Any], fresh: dict[str, Any]) -> bool:
    """True if two moments differ by rounding alone."""
    first, second = dict(kept), dict(fresh)
    shares = first.pop("shares"), second.pop("shares")
    near = zip(first.pop("neighbours"), second.pop("neighbours"), strict=True)
    return (
        first == second
        and shares_agree(*shares)
        and all(lists_agree(a, b) for a, b in near)
    )


def lists_agree(kept: list[Any], fresh: list[Any]) -> bool:
    """True if two lists of neighbours have the same tokens and nearly the cosines."""
    (names, cosines), (new_names, new_cosines) = (
        zip(*pairs, strict=True) for pairs in (kept, fresh)
    )
    return names == new_names and np.allclose(cosines, new_cosines, rtol=0, atol=COSINE)


def make(folder: Path | None, _: list[str]) -> Iterator[Made]:
    """Makes the page's script from a folder, or else from what is kept of it."""
    content = recording(folder) if folder else with_present_end(read_recording())
    text = as_script("training", content)
    yield Made("--moments FOLDER", PATH, text, recordings_agree)


def read_recording() -> dict[str, Any]:
    """The kept recording.

    Raises:
        BookError: it is missing or damaged.
    """
    try:
        return read_script(PATH.read_text(encoding="utf-8"))
    except (OSError, ValueError, LookupError) as error:
        raise BookError(f"{PATH} cannot be read: give --moments FOLDER") from error


RECORDER = Recorder("book.lab.training", lambda: ["training"], partial(make, None))


@click.command(help="Record the embedded model's training.")
@click.option("--moments", type=click.Path(path_type=Path), help="folder of a training")
@click.option("--check", is_flag=True, help="only say whether the file is stale")
def main(moments: Path | None, check: bool) -> None:
    """Records from a folder; without one, only checks."""
    recorder = replace(RECORDER, make=partial(make, moments))
    recorder.finish(check=check or moments is None)


if __name__ == "__main__":
    main(prog_name=f"python -m {RECORDER.module}")
