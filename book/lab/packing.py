"""Writes arrays as scripts: a page opened from a disk can load no other files."""

import json
from base64 import b64decode, b64encode
from typing import Any

import numpy as np

from book.pages import SRC

DATA = SRC / "lab" / "data"
DIGITS = np.frombuffer(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8
)
ZERO = 2048  # the code of weight 0; codes go from 1 to 4095


def pack_array(array: np.ndarray) -> str:
    """An array's bytes, little-endian, in base64."""
    return b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()


def pack_matrix(matrix: np.ndarray) -> dict[str, Any]:
    """Rounds a matrix ``[R, C]`` to 12 bits: two base64 digits for each number.

    The largest number of a row sets the row's scale: each row uses the whole range.
    """
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / (ZERO - 1)  # [R]
    codes = np.rint(matrix / scale[:, None]).astype(np.int64) + ZERO
    digits = DIGITS[np.stack([codes >> 6, codes & 63], axis=-1)]
    return {
        "rows": matrix.shape[0],
        "columns": matrix.shape[1],
        "scale": pack_array(scale.astype(np.float32)),
        "digits": digits.tobytes().decode(),
    }


def unpack_array(text: str, dtype: str) -> np.ndarray:
    """Reads the text of ``pack_array`` as ``[N]``; ``dtype`` is such as ``"<f4"``."""
    return np.frombuffer(b64decode(text), dtype)


def as_script(name: str, value: Any) -> str:
    """A script that sets ``lab.NAME`` to ``value``."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"var lab = lab || {{}};\nlab.{name} = {text};\n"


def read_script(text: str) -> Any:
    """The value in a script from ``as_script``."""
    return json.loads(text.split(" = ", 2)[2].rstrip().removesuffix(";"))
