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
MOST = 90  # a weight is one of the numbers -MOST to MOST times its row's scale
CODES = 2 * MOST + 1  # four codes fit in five base64 digits: CODES ** 4 < 64 ** 5


def pack_array(array: np.ndarray) -> str:
    """An array's bytes, little-endian, in base64."""
    return b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()


def pack_matrix(matrix: np.ndarray) -> dict[str, Any]:
    """Rounds a matrix ``[R, C]`` to 7.5 bits: five base64 digits for four numbers.

    The largest number of a row sets the row's scale: each row uses the whole range.
    """
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / MOST  # [R]
    codes = np.rint(matrix / scale[:, None]).astype(np.int64).ravel() + MOST
    codes = np.pad(codes, (0, -len(codes) % 4)).reshape(-1, 4)
    groups = codes @ CODES ** np.arange(4)
    digits = DIGITS[groups[:, None] >> (6 * np.arange(5)) & 63]
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
