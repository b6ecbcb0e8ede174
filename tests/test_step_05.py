"""Checks step 05: token embeddings."""

import numpy as np

from course.check_program import check_file
from course.checks import build, expect_close, expect_own_weights, require
from tests.oracle import model as oracle
from tests.oracle.notes import note

# V, the size of the vocabulary, C, the channels, and the shape of the ids. There are
# both smaller and larger vocabularies than positions: the two have nothing in common.
CASES = [(11, 5, (2, 3)), (6, 7, (3, 1)), (13, 2, (1, 4))]
POSITIONS = 9


def make(step, vocab, channels, seed=5):
    """Returns the module and its table."""
    config = step.config(
        vocab_size=vocab, n_embd=channels, n_positions=POSITIONS, n_head=1
    )
    state = oracle.random_state({"weight": (vocab, channels)}, seed)
    return build(step, "GPT2Embeddings", config, state=state), state["weight"]


def call(vocab, channels, ids):
    return f"GPT2Embeddings(vocab_size={vocab}, n_embd={channels})({ids.tolist()})"


def expect_rows(table, rows, ids):
    """Requires each id's row of the table."""
    note("`weight`", rows)
    note("the id", ids)
    expect_close(table(ids), rows[ids], call(*rows.shape, ids))


def test_parameters(step):
    """It has one table called weight, with a row of C numbers for each token.

    The model's own parameter is then called wte.weight, as in the checkpoint. The
    table is all zeros until a checkpoint fills it.
    """
    for vocab, channels, _ in CASES[:2]:
        make(step, vocab, channels)
    config = step.config(vocab_size=11, n_embd=5)
    fresh = step.GPT2Embeddings(config).get("weight")
    asked = "GPT2Embeddings(vocab_size=11, n_embd=5).weight"
    expect_close(fresh, np.zeros([11, 5]), asked, axes="token channel")


def test_one_token(step):
    """Token 3 gets the row with index 3, token 8 the row with index 8.

    Rows are counted from 0, as the ids are.
    """
    table, rows = make(step, 11, 5)
    for token in (3, 8):
        ids = np.array([[token]])
        expect_rows(table, rows, ids)


def test_batch(step):
    """Ids [B, T] give [B, T, C]: every id is replaced by its token's row.

    The shape stays, with one axis more at the end.
    """
    rng = np.random.default_rng(50)
    for vocab, channels, shape in CASES:
        table, rows = make(step, vocab, channels)
        ids = rng.integers(0, vocab, shape)
        expect_rows(table, rows, ids)


def test_every_token(step):
    """Every id from 0 to V - 1 finds its row, the first and the last too.

    GPT-2's last token, 50256, marks the end of a text.
    """
    table, rows = make(step, 11, 5)
    rows_of_ids = "4 10 1 7 0 3", "9 0 2 8 10 6", "5 0 10 1 2 4", "0 3 9 10 6 7"
    ids = np.array([row.split() for row in rows_of_ids], np.int64)
    expect_rows(table, rows, ids)


def test_same_token(step):
    """A token has the same numbers wherever it stands.

    Step 06 adds the position; the table here has the meaning alone.
    """
    table, _ = make(step, 6, 7)
    ids = np.array([[4, 1, 4], [0, 4, 4]])
    got = table(ids)
    fours = got.values[ids == 4]
    message = "The same id gave different numbers at different places."
    require(np.array_equal(fours, fours[[0] * 4]), message, call(6, 7, ids), got.values)


def test_own_weights(step):
    """Each module uses its own weights, and those that were loaded last.

    A program may hold several models. Nothing of one may stay behind in another, and
    nothing of a call in the module.
    """
    ids = np.array([[4, 1, 4], [0, 4, 4]])
    first, rows = make(step, 11, 5)
    second, others = make(step, 11, 5, seed=51)

    def expect(value, state, when):
        expect_close(value, state["weight"][ids], f"{call(11, 5, ids)}, {when}")

    states = {"weight": rows}, {"weight": others}
    expect_own_weights(first, second, states, expect, ids)


def test_traces(step):
    """The code also works while a model is compiled, when lengths are not known.

    From step 12 on the model is compiled once for texts of every length.
    """
    table, _ = make(step, 11, 5)
    table.trace(("int64", ["batch", "seq"]))


if __name__ == "__main__":
    check_file(__file__)
