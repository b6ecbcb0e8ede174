"""One text of a request: stop strings, split characters, its random generator."""

import numpy as np
import pytest

from gpt2.checkpoint.tokenizer import Tokenizer
from gpt2.decoding.generation import Strategy
from gpt2.serving.jobs import token_ids
from gpt2.serving.text import Job, Piece, Stops, merge, texts
from tests.own.gpt2.samples import BPE

TOKENIZER = Tokenizer(BPE)


def logits(token):
    """Returns logits that make a token by far the likeliest."""
    scores = np.zeros(TOKENIZER.size, dtype=np.float32)
    scores[token] = 50
    return scores


def write(ids, **settings):
    """Gives a text the logits of chosen tokens; returns the pieces."""
    job = Job([[5]], Strategy(temperature=0), 0, **{"max_tokens": 30} | settings)
    (text,) = texts(job, TOKENIZER)
    pieces = []
    for token in ids:
        assert not text.finished
        pieces.append(text.take(logits(token)))
    return pieces, text


@pytest.mark.parametrize(
    ("pieces", "stop", "shown", "rest"),
    [
        (["one two", " three"], ["two"], ["one ", ""], ""),
        (["one t", "wo"], ["two"], ["one ", ""], ""),
        (["one t", "ree"], ["two"], ["one ", "tree"], ""),
        (["aab", "aac"], ["aabaac"], ["", ""], ""),
        (["aaba", "abaac!"], ["aabaac"], ["", "aab"], ""),
        (["x\n", "\ny"], ["\n\n", "z"], ["x", ""], ""),
        (["ab"], ["bc"], ["a"], "b"),
        (["b a"], ["a", "b"], [""], ""),
        (["ab"], [], ["ab"], ""),
    ],
)
def test_stop_strings(pieces, stop, shown, rest):
    stops = Stops(stop)
    assert [stops.feed(piece) for piece in pieces] == shown
    assert stops.rest() == rest


def test_a_text_ends_at_a_stop_string_that_spans_tokens():
    pieces, text = write(BPE.encode(" a r").ids, stop=["a r"])
    shown = "".join(piece.text for piece in pieces)
    assert text.finished
    assert (shown, pieces[-1].finish) == (" ", "stop")


def test_no_part_of_a_character_is_sent():
    ids = BPE.encode("é€").ids
    pieces, _ = write(ids)
    assert "".join(piece.text for piece in pieces) == "é€"
    assert all("\N{REPLACEMENT CHARACTER}" not in piece.text for piece in pieces)
    pieces, _ = write(ids[:1], max_tokens=1)
    assert pieces[-1].text == "\N{REPLACEMENT CHARACTER}"


def test_why_a_text_ends():
    pieces, _ = write([7, 8], max_tokens=2)
    assert [piece.finish for piece in pieces] == [None, "length"]
    pieces, _ = write([7, TOKENIZER.end_of_text_id])
    assert [piece.finish for piece in pieces] == [None, "stop"]


def test_pieces_of_a_text_become_one():
    pieces = [Piece(1, "a", 1), Piece(0, "x", 1), Piece(1, "b", 1, finish="stop")]
    assert merge(pieces) == [Piece(0, "x", 1), Piece(1, "ab", 2, finish="stop")]


def test_each_sample_draws_from_its_own_generator():
    flat = np.zeros(TOKENIZER.size, dtype=np.float32)

    def draw(samples):
        job = Job([[5], [6]], Strategy(), 3, max_tokens=8, samples=samples)
        return [
            [text.take(flat) and text.ids[-1] for _ in range(8)]
            for text in texts(job, TOKENIZER)
        ]

    two, three = draw(2), draw(3)
    assert two[0] != two[1]
    assert [two[0], two[1]] == three[:2]  # independent of the number of samples
    assert two[:2] == two[2:]  # and the same for each prompt


def test_end_of_text_in_a_prompt_is_the_special_token(checkpoint):
    end, before, after = checkpoint.tokenizer.end_of_text_id, "One", " day"
    around = [token_ids(text, checkpoint) for text in (before, after)]
    ids = token_ids(f"{before}<|endoftext|>{after}", checkpoint)
    assert ids == [*around[0], end, *around[1]]
