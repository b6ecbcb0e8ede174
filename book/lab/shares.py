"""Attention's shares of a text, and how a recording keeps them."""

import numpy as np

from book import play
from book.inside import look_inside
from book.lab.packing import pack_array, unpack_array


def attention(text: str, weights: play.Weights | None = None) -> np.ndarray:
    """The attention shares of a text, ``[L, H, T, T]``; each row sums to 1."""
    return np.stack([layer.shares for layer in look_inside(text, weights)])


def pack_shares(shares: np.ndarray) -> str:
    """Attention shares ``[..., T, T]`` in steps of 1/65535, without the masked ones."""
    rows, columns = np.tril_indices(shares.shape[-1])
    steps = np.rint(shares[..., rows, columns] * 65535)
    return pack_array(steps.astype(np.uint16))


def sharpest(text: str) -> dict[str, int]:
    """The head with the highest mean of the tokens' largest shares."""
    highest = attention(text)[..., 1:, :].max(axis=-1).mean(axis=-1)  # [L, H]
    layer, head = np.unravel_index(highest.argmax(), highest.shape)
    return {"layer": int(layer), "head": int(head)}


def shares_agree(kept: str, fresh: str) -> bool:
    """True if each share differs at most in its last place."""
    a, b = (unpack_array(text, "<u2").astype(int) for text in (kept, fresh))
    return len(a) == len(b) and bool(np.abs(a - b).max() <= 1)
