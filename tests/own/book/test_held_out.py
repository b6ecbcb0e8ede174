"""Losses on the held-out stories, their standard errors and their ties."""

import math

import numpy as np
import pytest

import book.figures._losses as losses
from book import held_out, play
from book.figures.step_02 import no_mask
from book.held_out import PerToken
from book.pages import BookError
from gpt2.checkpoint.tokenizer_files import END_OF_TEXT
from tests.oracle import model as oracle


def per_token(sums: list[float], tokens: list[int]) -> PerToken:
    return PerToken(np.array(sums), np.array(tokens))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Makes three short texts the held-out stories; returns their ids."""
    texts = "Tom has a dog.", "Once upon a time there was a", "She ran."
    ids = [play.encode(f"{END_OF_TEXT}{text}{END_OF_TEXT}") for text in texts]
    monkeypatch.setattr(held_out, "token_ids", lambda: ids)
    return ids


def test_a_mean_and_its_standard_error_by_hand() -> None:
    loss = per_token([2, 6, 10], [1, 2, 3])
    # The mean is 18 / 6 = 3, so the stories are -1, 0 and 1 nats away from it.
    assert loss.mean == pytest.approx(3)
    assert loss.error == pytest.approx(math.sqrt(3 / 2 * (1 + 0 + 1)) / 6)
    assert f"{loss:.2f}" == "3.00 ± 0.29"
    assert loss.perplexity == pytest.approx(math.exp(3))


def test_the_error_of_equal_lengths_is_that_of_a_plain_mean() -> None:
    each = np.array([1.0, 4.0, 2.0, 7.0, 3.0])
    loss = PerToken(10 * each, np.full(5, 10))
    assert loss.mean == pytest.approx(each.mean())
    assert loss.error == pytest.approx(each.std(ddof=1) / math.sqrt(5))


def test_a_difference_is_taken_story_by_story() -> None:
    easy_and_hard = per_token([10, 50, 90], [10, 10, 10])
    slightly_worse = per_token([11, 51.2, 90.8], [10, 10, 10])
    assert (slightly_worse - easy_and_hard).mean == pytest.approx(0.1)
    assert (slightly_worse - easy_and_hard).error < 0.02 < easy_and_hard.error
    assert not (slightly_worse - easy_and_hard).tied


@pytest.mark.parametrize(
    ("sums", "tied"),
    [
        ([0, 0, 0], True),
        ([30, -28, 1], True),  # 0.1 ± 1.68
        ([-1, -1.1, -0.9], False),  # -0.1 ± 0.006: better is no tie
        ([0.04, 0.041, 0.039], True),  # 0.004: nobody sees it
        ([0.1, 0.11, 0.09], False),  # 0.01 ± 0.0006
    ],
)
def test_a_tie_is_called_a_tie(sums: list[float], tied: bool) -> None:
    assert per_token(sums, [10, 10, 10]).tied == tied


def test_tables_say_tie_or_the_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = per_token([10, 50, 90], [10, 10, 10])
    monkeypatch.setattr(held_out, "trained", lambda: trained)
    equal = per_token([12, 49, 89.3], [10, 10, 10])
    worse = per_token([14, 56, 95], [10, 10, 10])
    better = per_token([9, 48.9, 89.1], [10, 10, 10])
    assert losses.loss_cell(trained) == "5.00 ± 2.31"
    assert losses.loss_cell(equal) == "5.01 (tie)"
    assert losses.loss_cell(worse) == "5.50 (+0.50 ± 0.06)"
    assert losses.loss_cell(better) == "4.90 (−0.10 ± 0.01)"
    assert losses.perplexity(equal).endswith("(tie)")
    assert "tie" not in losses.perplexity(trained) + losses.perplexity(worse)
    assert losses.worse(worse)
    assert not losses.worse(worse, equal)
    assert not losses.worse(better)


def test_a_perplexity_has_the_error_of_the_loss_times_itself() -> None:
    loss = per_token([20, 30, 40], [10, 10, 10])  # 3 ± 0.577
    assert losses.exponential(loss) == "20.1 ± 11.6"
    assert losses.exponential(per_token([9000, 9001], [10, 10])) == "over a million"


@pytest.mark.parametrize("change", ["nothing", "heads", "no mask"])
def test_the_loss_is_that_of_a_loop_over_stories(
    few: list[list[int]], change: str
) -> None:
    config = play.checkpoint().config
    heads = 1 if change == "heads" else config.n_head
    mask = no_mask if change == "no mask" else oracle.causal_mask
    with play.instead("causal_mask", mask):
        found = held_out.loss(n_head=heads)
        for place, ids in enumerate(few):
            batch = np.array([ids])
            scores = oracle.logits(batch[:, :-1], play.trained(), config.n_layer, heads)
            shares = oracle.softmax(scores[0])
            logs = [math.log(shares[t, i]) for t, i in enumerate(ids[1:])]
            assert found.sums[place] == pytest.approx(-sum(logs))
            assert found.tokens[place] == len(logs)


def test_the_loss_of_one_text_is_the_mean_of_its_tokens() -> None:
    text = "Tom has a dog. The dog likes Tom."
    ids = play.encode(text)
    shares = oracle.softmax(play.logits(ids))
    logs = [math.log(shares[t, i]) for t, i in enumerate(ids[1:])]
    assert play.loss(text) == pytest.approx(-sum(logs) / len(logs))


def test_hopeless_tokens_have_a_finite_surprise() -> None:
    scores = np.array([[1e5, 0.0], [0.0, -1e5]])
    assert play.surprise(scores, [1, 0]) == pytest.approx([1e5, 0.0])


def test_the_trained_loss_knows_nothing_of_replacements(few: list[list[int]]) -> None:
    held_out.trained.cache_clear()
    try:
        with play.instead("gelu", np.tanh):
            inside, replaced = held_out.trained(), held_out.loss()
        assert inside.mean == pytest.approx(held_out.loss().mean)
        assert inside.mean != pytest.approx(replaced.mean)
    finally:
        held_out.trained.cache_clear()


def test_bits_per_byte_count_each_byte_and_the_end(
    few: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    few[:] = [few[0], few[1][:-1]]  # the second is cut, so that it has no end
    monkeypatch.setattr(held_out, "trained", lambda: per_token([10, 20], [5, 6]))
    size = len("Tom has a dog.") + 1 + len("Once upon a time there was a")
    assert held_out.bits_per_byte() == pytest.approx(30 / math.log(2) / size)


def test_the_stories_are_whole_and_differ() -> None:
    stories = held_out.stories()
    assert len(set(stories)) == len(stories) == 62
    assert all(len(story) > 300 and story == story.strip() for story in stories)


def test_ids_stand_between_ends_of_text_and_fit_the_model() -> None:
    (end,), cut = play.encode(END_OF_TEXT), 0
    for ids, story in zip(held_out.token_ids(), held_out.stories(), strict=True):
        assert ids[0] == end
        assert end not in ids[1:-1]
        longest = len(ids) == play.checkpoint().config.n_positions + 1
        cut += longest
        assert longest or ids[-1] == end
        assert story.startswith(play.checkpoint().tokenizer.decode(ids))
    assert cut


def test_a_sentence_that_became_false_is_named() -> None:
    losses.claim("step_02", "looking there only confuses it", True)
    with pytest.raises(BookError, match="confuses it”, which is false of the embedded"):
        losses.claim("step_02", "looking there only confuses it", False)
    with pytest.raises(BookError, match=r"step_02.md lacks the checked words “a joke”"):
        losses.claim("step_02", "a joke", True)
