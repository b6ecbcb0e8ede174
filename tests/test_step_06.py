"""Checks step 06: position embeddings."""

import numpy as np

from course.check_program import check_file
from course.checks import build, expect_close, expect_own_weights
from tests.oracle import model as oracle
from tests.oracle.notes import Aside, note

# n_positions, the channels C, and some positions. There are both more and fewer
# positions than tokens in the vocabulary: the two have nothing in common.
CASES = [(11, 5, [0, 1, 2]), (6, 7, [0, 1, 2, 3, 4]), (13, 2, [0])]
VOCABULARY = 8


def make(step, positions, channels, seed=6):
    """Returns the module and its table."""
    config = step.config(
        n_positions=positions, n_embd=channels, vocab_size=VOCABULARY, n_head=1
    )
    state = oracle.random_state({"weight": (positions, channels)}, seed)
    return build(step, "GPT2PositionEmbeddings", config, state=state), state["weight"]


def check(step, size, channels, *questions):
    """Compares the module with a look-up in its table."""
    table, rows = make(step, size, channels)
    call = f"GPT2PositionEmbeddings(n_positions={size}, n_embd={channels})"
    for positions in questions:
        places = np.array(positions)
        asked = f"{call}({positions})"
        note("`weight`", rows)
        note("the position", places)
        note(Aside("the first rows of `weight`"), rows[: len(places)])
        expect_close(table(places), rows[places], asked, axes="position channel")


def test_parameters(step):
    """It has one table called weight, with a row of C numbers for each position.

    The model's own parameter is then called wpe.weight, as in the checkpoint. The
    table is all zeros until a checkpoint fills it.
    """
    for size, channels, _ in CASES[:2]:
        make(step, size, channels)
    config = step.config(n_positions=11, n_embd=5)
    fresh = step.GPT2PositionEmbeddings(config).get("weight")
    asked = "GPT2PositionEmbeddings(n_positions=11, n_embd=5).weight"
    expect_close(fresh, np.zeros([11, 5]), asked, axes="position channel")


def test_from_the_start(step):
    """Positions 0, 1, 2, … get the first rows of the table: [T] gives [T, C].

    The first token of a text has position 0.
    """
    for case in CASES:
        check(step, *case)


def test_later_positions(step):
    """Positions 4, 5, 6 get the rows with these indices, not the first ones.

    When a text goes on after tokens that were seen before, the new ones come later.
    """
    check(step, 11, 5, [4, 5, 6], [1, 2, 3])


def test_any_order(step):
    """The positions decide, in whatever order they come.

    The table knows nothing but what it is asked for.
    """
    check(step, 11, 5, [7, 2, 2, 0], [8, 6])


def test_last_position(step):
    """The last position, n_positions - 1, finds its row.

    The longest text that GPT-2 can see has 1024 tokens, with positions 0 to 1023.
    """
    check(step, 11, 5, [9, 10], list(range(11)))


def test_own_weights(step):
    """Each module uses its own weights, and those that were loaded last.

    A program may hold several models. Nothing of one may stay behind in another, and
    nothing of a call in the module.
    """
    places = np.array([0, 1, 2])
    first, rows = make(step, 11, 5)
    second, others = make(step, 11, 5, seed=61)

    def expect(value, state, when):
        asked = f"GPT2PositionEmbeddings(n_positions=11, n_embd=5)([0, 1, 2]), {when}"
        right = state["weight"][places]
        expect_close(value, right, asked, axes="position channel")

    states = {"weight": rows}, {"weight": others}
    expect_own_weights(first, second, states, expect, places)


def test_traces(step):
    """The code also works while a model is compiled, when lengths are not known.

    From step 12 on the model is compiled once for texts of every length.
    """
    table, _ = make(step, 11, 5)
    table.trace(("int64", ["seq"]))


if __name__ == "__main__":
    check_file(__file__)
