"""Writes the embedded model as a script, for every text that the lab has not recorded.

A built book has the script; the repository keeps the model once, as a checkpoint.
"""

from pathlib import Path
from typing import Any

import numpy as np

from book import play
from book.lab.packing import as_script, pack_array, pack_matrix

FILE = Path("lab", "data", "weights.js")


def weights() -> dict[str, Any]:
    """The model: vectors in float32, matrices in 7.5 bits."""
    config = play.checkpoint().config
    return {
        "layers": config.n_layer,
        "heads": config.n_head,
        "positions": config.n_positions,
        "eps": config.layer_norm_epsilon,
        "tensors": {
            name: pack_matrix(w) if w.ndim == 2 else pack_array(w.astype(np.float32))
            for name, w in play.trained().items()
        },
    }


def write_weights(folder: Path) -> None:
    """Writes the script in a built book."""
    (folder / FILE).write_text(as_script("weights", weights()), encoding="utf-8")
