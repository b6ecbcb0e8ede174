"""OpenAI's GPT-2 gives the results that others published.

The weights are not in this repository, so these tests run only if you ask for them:

    GPT2_WEIGHTS=gpt2 pixi run pytest tests/own/gpt2/test_published.py

``GPT2_WEIGHTS`` is a model as after ``gpt2 --model``. A folder is read. The name
``gpt2`` is downloaded unless the hub's cache has it. Without the variable nothing is
downloaded and the tests of the real weights are skipped. The other tests always run:
they show on a small model of transformers that wrong models fail.

The published results:

- three greedy texts: transformers, ``tests/models/gpt2/test_modeling_gpt2.py``
  (``test_lm_generate_gpt2``, ``test_batch_generation``)
- three logits after ``<|endoftext|>``: karpathy/llm.c, pull request 228
- the loss on 256 tokens of Shakespeare: karpathy/llm.c, ``test_gpt2.c``. The text and
  its tokens are those of llm.c's ``dev/data/tinyshakespeare.py``.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from gpt2.checkpoint.configuration import read_config
from gpt2.checkpoint.loading import load_checkpoint
from gpt2.checkpoint.safetensors_files import read_weights
from gpt2.checkpoint.weights import convert_weights
from gpt2.decoding.generation import TokenEngine
from gpt2.engine.engines import Engine, RecomputingEngine
from solutions.solution_01 import GPT2Config
from solutions.solution_13 import MaxGPT2LMHeadModel
from tests.oracle import model as oracle
from tests.own.gpt2.samples import TableEngine

WEIGHTS = os.environ.get("GPT2_WEIGHTS")
GREEDY = {
    "The dog": " was found in a field near the intersection of West and West Streets."
    "\n\nThe dog",
    "Hello, my dog is a little": " bit of a mess. I'm not sure if he's going",
    "Today, I": "'m going to be doing a lot of research on this. I",
}
LAST = (-43.4317, -39.8364, -43.0659)  # of the ids 0, 1 and 2
LOSS, ROWS, LENGTH = 5.270007, 4, 64  # of the batch of Shakespeare's text
SHAKESPEARE = """\
First Citizen:
Before we proceed any further, hear me speak.

All:
Speak, speak.

First Citizen:
You are all resolved rather to die than to famish?

All:
Resolved. resolved.

First Citizen:
First, you know Caius Marcius is chief enemy to the people.

All:
We know't, we know't.

First Citizen:
Let us kill him, and we'll have corn at our own price.
Is't a verdict?

All:
No more talking on't; let it be done: away, away!

Second Citizen:
One word, good citizens.

First Citizen:
We are accounted poor citizens, the patricians good.
What authority surfeits on would relieve us: if they
would yield us but the superfluity, while it were
wholesome, we might guess they relieved us humanely;
but they think we are too dear: the leanness that
afflicts us, the object of our misery, is as an
inventory to particularise their abundance; our
sufferance is a gain to them Let us revenge this with
our pikes"""


@dataclass(frozen=True)
class Published:
    """Results of a right GPT-2.

    Attributes:
        greedy: pairs of prompt and new ids.
        start: ids ``[T]``.
        last: the logits of the first ids of the vocabulary, after ``start``.
        rows: texts ``[B, T + 1]``.
        loss: the mean loss of all tokens in ``rows`` but each row's first.
    """

    greedy: list[tuple[list[int], list[int]]]
    start: list[int]
    last: np.ndarray
    rows: np.ndarray
    loss: float

    def check_greedy(self, engine: TokenEngine) -> None:
        for prompt, new in self.greedy:
            ids = [engine.prefill(np.array([prompt])).argmax(axis=-1)]
            while len(ids) < len(new):
                ids.append(engine.decode(ids[-1]).argmax(axis=-1))
            np.testing.assert_array_equal(np.concatenate(ids), new)

    def check_logits(self, engine: TokenEngine) -> None:
        (found,) = engine.prefill(np.array([self.start]))
        found = found[: len(self.last)]
        np.testing.assert_allclose(found, self.last, rtol=0, atol=1e-3)

    def check_loss(self, engine: TokenEngine) -> None:
        columns = self.rows.T[:-1]
        logits = [engine.prefill(columns[0][:, None])]
        logits += [engine.decode(column) for column in columns[1:]]
        assert loss(np.stack(logits, axis=1), self.rows) == pytest.approx(
            self.loss, abs=1e-4
        )


def loss(logits: np.ndarray, rows: np.ndarray) -> float:
    """The mean of -log p of each next token: logits ``[B, T, V]``, ids ``[B, T+1]``."""
    shares = oracle.softmax(logits.astype(np.float64))
    chosen = np.take_along_axis(shares, rows[:, 1:, None], axis=-1)
    return -np.log(chosen).mean()


CHECKS = (Published.check_greedy, Published.check_logits, Published.check_loss)


@pytest.fixture(scope="module")
def checkpoint():
    """The real weights, if the variable names them."""
    if not WEIGHTS:
        pytest.skip("needs OpenAI's weights: see the beginning of this file")
    found = load_checkpoint(WEIGHTS)
    assert found.config == GPT2Config(), f"{WEIGHTS} is not the smallest GPT-2"
    return found


@pytest.fixture(scope="module")
def published(checkpoint) -> Published:
    """The published results as ids."""
    encode = checkpoint.tokenizer.encode
    greedy = [
        (ids := encode(prompt), encode(prompt + text)[len(ids) :])
        for prompt, text in GREEDY.items()
    ]
    *sections, last = SHAKESPEARE.split("\n\n")
    starts = [f"<|endoftext|>{section}\n\n" for section in sections]
    text = encode("".join([*starts, f"<|endoftext|>{last}"]))[: ROWS * LENGTH + 1]
    rows = np.lib.stride_tricks.sliding_window_view(text, LENGTH + 1)[::LENGTH]
    assert greedy[0][0] == [464, 3290]
    assert rows.shape == (ROWS, LENGTH + 1)
    return Published(greedy, encode("<|endoftext|>"), np.array(LAST), rows, LOSS)


@pytest.fixture(scope="module", params=["with a cache", "without"])
def engine(request, checkpoint):
    """The real model, compiled: as ``gpt2`` runs it, and as step 13 builds it."""
    if request.param == "with a cache":
        return Engine(checkpoint.config, checkpoint.weights)
    return RecomputingEngine(checkpoint.config, checkpoint.weights, MaxGPT2LMHeadModel)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_openais_weights_give_the_published_results(published, engine, check):
    check(published, engine)


FOLDER = Path(__file__).parents[2] / "golden" / "odd"  # made by transformers
SMALL = read_config(FOLDER / "config.json")


class SmallEngine(TableEngine):
    """The reference in NumPy with these weights."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.weights = weights

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Returns logits ``[N, V]`` for ids ``[N, T]``."""
        layers, heads = SMALL.n_layer, SMALL.n_head
        return oracle.logits(ids, self.weights, layers, heads)[:, -1]


@pytest.fixture
def small() -> Published:
    """What transformers computes with the small model."""
    golden = np.load(FOLDER.with_suffix(".npz"))
    pairs = [(golden[f"prompt_{n}"], golden[f"greedy_{n}"]) for n in range(3)]
    greedy = [(prompt.tolist(), new.tolist()) for prompt, new in pairs]
    text, logits = pairs[2][0], golden["logits"]
    right = loss(logits[None, :-1], text[None])
    return Published(greedy, text.tolist(), logits[-1], text[None], right)


@pytest.fixture
def weights() -> dict[str, np.ndarray]:
    """The small model's weights, in new arrays."""
    return convert_weights(read_weights(FOLDER), SMALL)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_right_model_passes(small, weights, check):
    check(small, SmallEngine(weights))


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def attention_without_scale(query, key, value):
    return attention(query * np.sqrt(query.shape[-1]), key, value)


attention = oracle.attention


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    ("name", "wrong"), [("gelu", relu), ("attention", attention_without_scale)]
)
def test_a_wrong_model_fails(small, weights, check, name, wrong):
    with patch.object(oracle, name, wrong), pytest.raises(AssertionError):
        check(small, SmallEngine(weights))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_forgotten_transpose_fails(small, weights, check):
    for name in weights:
        if name.endswith("attn.c_proj.weight"):
            weights[name] = weights[name].T
    with pytest.raises(AssertionError):
        check(small, SmallEngine(weights))
