"""The lab's tokenizer and model against Python's, on the same texts."""

from typing import Any

import numpy as np
import pytest

from book import play
from book.lab.packing import MOST, pack_matrix
from tests.oracle import model as oracle
from tests.own.book.lab_page import ROUNDING

TEXTS = [
    "Once upon a time, there was a little girl.",
    "  two  spaces,\n\nlines\tand 1234 numbers ",
    "I'm sure they'll say it's Tom's, won't you?",
    "Grüße, 你好, 🙂!",
    "<|endoftext|>One<|endoftext|><|endoftext|> day",
]


@pytest.mark.parametrize("text", TEXTS)
def test_tokenizer_equals_python(js: Any, text: str) -> None:
    ids, back = js(
        """(text) => {
          const tokenizer = new lab.tokenizer.Tokenizer(lab.recording);
          const ids = tokenizer.encode(text);
          return [ids, tokenizer.decode(ids)];
        }""",
        text,
    )
    assert ids == play.encode(text)
    assert back == text


def test_model_equals_python(js: Any) -> None:
    texts = [play.encode(text) for text in TEXTS]
    found = js(
        """(texts) => {
          const model = new lab.model.GPT2(lab.weights);
          return texts.map((ids) => [...model.next(ids)]);
        }""",
        texts,
    )
    for ids, logits in zip(texts, found, strict=True):
        expected = play.logits(ids)[-1]
        np.testing.assert_allclose(logits, expected, atol=ROUNDING)
        shares, exact = (oracle.softmax(np.array(x)) for x in (logits, expected))
        np.testing.assert_allclose(shares, exact, atol=0.03)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 8), (7, 3)])
def test_matrices_survive_packing(js: Any, shape: tuple[int, int]) -> None:
    exact = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    rounded = js("(packed) => [...lab.unpack.matrix(packed)]", pack_matrix(exact))
    assert len(rounded) == exact.size
    steps = np.abs(exact).max(axis=1, keepdims=True) / MOST
    error = np.abs(np.reshape(rounded, shape) - exact) / steps
    assert error.max() < 0.501


def test_weights_are_the_models(js: Any) -> None:
    for name in ("wte.weight", "h.1.mlp.c_fc.weight"):
        exact = play.trained()[name]
        code = "(name) => [...lab.unpack.matrix(lab.weights.tensors[name])]"
        steps = np.abs(exact).max(axis=1, keepdims=True) / MOST
        error = np.abs(np.reshape(js(code, name), exact.shape) - exact) / steps
        assert error.max() < 0.501
