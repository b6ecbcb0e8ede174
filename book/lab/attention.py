"""Records the attention page's data: ``python -m book.lab.attention [--check]``."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from book import play
from book.inside import look_inside
from book.lab.packing import DATA, as_script, pack_array, read_script, unpack_array
from book.recorder import Made, Recorder

SENTENCES = [
    "Tom has a dog. The dog likes Tom.",
    "Lily had a red ball and a blue ball. She gave the red ball to Tom.",
    "The cat was hungry, so Mom gave the cat some fish.",
    '"I am sad," said Ben. "I lost my toy."',
    "One day the sun was hot. One day the sun was",
]


def attention(text: str, weights: play.Weights | None = None) -> np.ndarray:
    """The attention shares of a text, ``[L, H, T, T]``; each row sums to 1."""
    return np.stack([layer.shares for layer in look_inside(text, weights)])


def pack_sentence(text: str) -> dict[str, Any]:
    """A sentence's tokens, and its attention shares."""
    return {"tokens": play.tokens(text), "shares": pack_shares(attention(text))}


def pack_shares(shares: np.ndarray) -> str:
    """Attention shares ``[..., T, T]`` in steps of 1/65535, without the masked ones."""
    rows, columns = np.tril_indices(shares.shape[-1])
    steps = np.rint(shares[..., rows, columns] * 65535)
    return pack_array(steps.astype(np.uint16))


def targets(shares: np.ndarray) -> np.ndarray:
    """Sums the shares ``[L, H, T, T]`` by target, over all tokens but the first.

    The first token is left out because it can attend only to itself.

    Returns:
        ``[L, H, 4]``: the shares of the token itself, the token before it, the first
        token, and all other tokens. For the second token, the first token counts as
        the token before it.
    """
    itself = np.diagonal(shares, axis1=-2, axis2=-1)[..., 1:]  # [L, H, T - 1]
    before = np.diagonal(shares, offset=-1, axis1=-2, axis2=-1)
    first = shares[..., 2:, 0]
    named = np.stack([part.sum(-1) for part in (itself, before, first)], axis=-1)
    return np.concatenate([named, itself.shape[-1] - named.sum(-1, keepdims=True)], -1)


def mean_targets(texts: list[str]) -> np.ndarray:
    """The mean of ``targets`` over the tokens of several texts, ``[L, H, 4]``."""
    asked = sum(len(play.tokens(text)) - 1 for text in texts)
    return np.sum([targets(attention(text)) for text in texts], axis=0) / asked


def sharpest(text: str) -> dict[str, int]:
    """The head with the highest mean of the tokens' largest shares."""
    highest = attention(text)[..., 1:, :].max(axis=-1).mean(axis=-1)  # [L, H]
    layer, head = np.unravel_index(highest.argmax(), highest.shape)
    return {"layer": int(layer), "head": int(head)}


def recording() -> dict[str, Any]:
    """The whole data of the page."""
    config = play.checkpoint().config
    return {
        "layers": config.n_layer,
        "heads": config.n_head,
        "sentences": [pack_sentence(text) for text in SENTENCES],
        "start": sharpest(SENTENCES[0]),
        "targets": mean_targets(SENTENCES).round(4).tolist(),
    }


def recordings_agree(kept: str, fresh: str) -> bool:
    """True if two scripts hold the same recording, apart from rounding."""
    first, second = read_script(kept), read_script(fresh)
    sentences = zip(first.pop("sentences"), second.pop("sentences"), strict=True)
    targets = first.pop("targets"), second.pop("targets")
    return (
        first == second
        and np.allclose(*targets, rtol=0, atol=1e-4)
        and all(sentences_agree(a, b) for a, b in sentences)
    )


def sentences_agree(kept: dict[str, Any], fresh: dict[str, Any]) -> bool:
    """True if the tokens are equal and the shares agree."""
    same = kept["tokens"] == fresh["tokens"]
    return same and shares_agree(kept["shares"], fresh["shares"])


def shares_agree(kept: str, fresh: str) -> bool:
    """True if each share differs at most in its last place."""
    a, b = (unpack_array(text, "<u2").astype(int) for text in (kept, fresh))
    return len(a) == len(b) and bool(np.abs(a - b).max() <= 1)


def make(_: list[str]) -> Iterator[Made]:
    """Makes the page's script."""
    text = as_script("attention", recording())
    yield Made("attention", DATA / "attention.js", text, recordings_agree)


RECORDER = Recorder("book.lab.attention", lambda: ["attention"], make)

if __name__ == "__main__":
    RECORDER.main()
