"""What the book says of NumPy, and what its recorded examples must show."""

import json
import math

import numpy as np
import pytest

from book.figures._text import scientific
from book.figures.encore_beam_search import NOTICED, underflow
from book.figures.step_01 import head_counts
from book.figures.step_14 import choice_tolerance
from book.pages import NUMBERS
from solutions.encore_sampling import softmax
from solutions.solution_01 import GPT2Config


def recorded(key: str) -> dict:
    return json.loads((NUMBERS / f"{key}.json").read_text(encoding="utf-8"))


def refuses(row: np.ndarray) -> bool:
    try:
        np.random.default_rng(0).choice(len(row), p=row)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tolerance_of_choice(dtype: type[np.floating]) -> None:
    off = choice_tolerance(dtype)
    assert not refuses(np.array([0.5, 0.5 - 0.9 * off], dtype))
    assert refuses(np.array([0.5, 0.5 - 1.1 * off], dtype))


def test_choice_refuses_what_was_converted_and_not_divided() -> None:
    logits = np.random.default_rng(0).normal(0, 3, [50, 2000]).astype(np.float32)
    rows = [softmax(row) for row in logits]
    converted = [row.astype(np.float64) for row in rows]
    assert not any(map(refuses, rows))
    assert any(map(refuses, converted))
    assert not any(refuses(row / row.sum()) for row in converted)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", [0.7, 1.7, 2.9])
def test_product_of_probabilities_becomes_zero(
    dtype: type[np.floating], loss: float
) -> None:
    probability, tokens = dtype(1), 0
    while probability:
        probability, tokens = dtype(probability * dtype(math.exp(-loss))), tokens + 1
    assert abs(tokens - underflow(dtype, loss)) <= 1


def test_powers_of_ten() -> None:
    assert scientific(1.49e-8) == "1.5 · 10⁻⁸"
    assert scientific(2e13) == "2.0 · 10¹³"


def test_more_beams_find_likelier_text_in_the_example() -> None:
    cells = [row[1] for row in recorded("beam-search")["beams"][1:]]
    sums = np.array([float(cell.replace("−", "-")) for cell in cells])
    assert (np.diff(sums) > NOTICED).sum() >= 2


def test_numbers_of_heads_write_different_texts_in_the_example() -> None:
    texts = [row[-1] for row in recorded("s01")["by_heads"][1:]]
    assert len(set(texts)) == len(texts) >= 3


@pytest.mark.parametrize(
    ("channels", "heads", "counts"),
    [(128, 4, [1, 2, 4, 16]), (224, 7, [1, 4, 7, 28]), (60, 2, [1, 2, 10])],
)
def test_numbers_of_heads_fit(channels: int, heads: int, counts: list[int]) -> None:
    assert head_counts(GPT2Config(n_embd=channels, n_head=heads)) == counts
