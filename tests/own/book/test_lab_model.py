"""The lab's tokenizer and model against Python's, on the same texts."""

from typing import Any

import numpy as np
import pytest

from book import play
from tests.oracle import model as oracle

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
        np.testing.assert_allclose(logits, expected, atol=0.05)  # weights of 12 bits
        shares, exact = (oracle.softmax(np.array(x)) for x in (logits, expected))
        np.testing.assert_allclose(shares, exact, atol=0.005)


def test_weights_are_rounded_to_12_bits(js: Any) -> None:
    name = "h.1.mlp.c_fc.weight"
    exact = play.trained()[name]
    rounded = js("(name) => [...lab.unpack.matrix(lab.weights.tensors[name])]", name)
    steps = np.abs(exact).max(axis=1, keepdims=True) / 2047
    error = np.abs(np.reshape(rounded, exact.shape) - exact) / steps
    assert error.max() < 0.501
