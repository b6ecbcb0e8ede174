"""The losses with known mistakes, and how their recorder deals with any code."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import book.recorder
from book import held_out, mistake_losses, mistake_runs, play, same_numbers
from book.figures.when_it_goes_wrong import changes, patches
from book.held_out import PerToken
from book.mistake_losses import NO_LOSS, RECORDER, table
from book.mistake_runs import Outcome, WrongModels, stories
from book.pages import LOSSES, NUMBERS, BookError
from course.catalogue import load_mistakes
from course.registry import ROOT, find_exercise

# Mistakes of the table in NumPy, and the same mistakes in the catalogue.
BOTH = {
    ("04", "exact GELU"): ("s04", "exact GELU"),
    ("07", "key and value exchanged"): ("s07", "key and value exchanged"),
    ("08", "no mask"): ("s08", "no mask"),
    ("08", "scores not divided by √D"): ("s08", "unscaled"),
    ("09", "one head instead of several"): ("s09", "heads not split"),
    ("11", "MLP first, then attention"): ("s11", "mlp first"),
    ("11", "nothing is added to x"): ("s10", "no residual"),
    ("11", "the two normalizations swapped"): ("s11", "norms swapped"),
    ("12", "blocks backwards"): ("s12", "blocks backwards"),
    ("12", "first block every time"): ("s12", "first block every time"),
    ("12", "no last normalization"): ("s12", "no final norm"),
    ("12", "no position embeddings"): ("s12", "no positions"),
    ("12", "positions from 1"): ("s12", "positions from 1"),
}


def recorded(key: str) -> dict[str, list[str]]:
    """The loss and the text of each recorded mistake of a step."""
    rows = json.loads((LOSSES / f"{key}.json").read_text(encoding="utf-8"))
    return {name: cells for name, *cells in rows[1:]}


def solution(key: str) -> str:
    return (ROOT / find_exercise(key).solution_path).read_text(encoding="utf-8")


def mistake(key: str, name: str) -> str:
    """The text of a step with a known mistake."""
    return next(m for m in load_mistakes(find_exercise(key)) if m.name == name).source


@pytest.fixture(scope="module")
def models() -> Iterator[WrongModels]:
    with closing(WrongModels(limit=20)) as found:
        yield found


@pytest.fixture
def same_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets NumPy read the stories that the wrong models read."""
    read = stories()
    monkeypatch.setattr(held_out, "token_ids", lambda: read)


def test_stories_are_whole() -> None:
    read = stories()
    end = play.checkpoint().tokenizer.end_of_text_id
    assert len(read) == mistake_runs.STORIES
    assert all(ids[0] == ids[-1] == end and end not in ids[1:-1] for ids in read)
    assert max(map(len, read)) <= play.checkpoint().config.n_positions


def test_the_right_model_has_the_loss_of_numpy(
    models: WrongModels, same_stories: None
) -> None:
    right, known = models.run("s08", ""), held_out.loss()
    assert right.loss is not None
    assert right.loss.sums == pytest.approx(known.sums, rel=1e-4)
    assert right.loss.tokens.tolist() == known.tokens.tolist()
    for key in RECORDER.names():
        assert recorded(key)["none"] == [f"{known:.2f}", right.text]


def test_a_step_is_replaced_in_the_whole_model(models: WrongModels) -> None:
    texts = "", solution("s08"), mistake("s08", "unscaled")
    right, again, wrong = [models.run("s08", text) for text in texts]
    assert np.abs(rise(again, right).sums).max() < mistake_losses.SAME
    assert rise(wrong, right).mean > 1
    assert not rise(wrong, right).tied
    assert again.text == right.text != wrong.text


def rise(wrong: Outcome, right: Outcome) -> PerToken:
    assert wrong.loss is not None
    assert right.loss is not None
    return wrong.loss - right.loss


def test_the_numbers_are_those_of_numpy(same_stories: None) -> None:
    for place, (weights, sizes) in changes().items():
        if place in BOTH:
            agree(place, held_out.loss(weights, **sizes))
    for step, name, part, function in patches():
        if (step, name) in BOTH:
            with play.instead(part, function):
                agree((step, name), held_out.loss())


def agree(place: tuple[str, str], known: PerToken) -> None:
    key, name = BOTH[place]
    loss = float(recorded(key)[name][0].split()[0])
    assert loss == pytest.approx(known.mean, abs=0.006), name


def test_the_texts_are_those_of_numpy() -> None:
    text = (NUMBERS / "when_it_goes_wrong.json").read_text(encoding="utf-8")
    rows = json.loads(text)["written"]
    known = {(step, name): text for name, step, _, text in rows[1:]}
    found = {place: recorded(key)[name][1] for place, (key, name) in BOTH.items()}
    assert {place: known[place] for place in BOTH} == found


def test_every_known_mistake_has_a_row() -> None:
    for key in RECORDER.names():
        names = [m.name for m in load_mistakes(find_exercise(key))]
        assert sorted([*recorded(key)]) == sorted(["none", *names])
    cells = [cells for key in RECORDER.names() for cells in recorded(key).values()]
    assert sum(loss != NO_LOSS for loss, _ in cells) >= 60


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("while True: pass", "It did not finish within 0.5 seconds"),
        ("import os; os._exit(0)", "Your code ended the Python process"),
        ("import os, signal; os.kill(os.getpid(), 11)", "Python itself crashed"),
        ("raise SystemExit", "`SystemExit`"),
        ("1 / 0", "`ZeroDivisionError` when the weights are loaded"),
    ],
)
def test_code_that_does_not_run_is_said(
    models: WrongModels, code: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.run("s08", "")  # a worker that has started answers at once
    monkeypatch.setattr(models, "limit", 0.5 if "while" in code else 20)
    found = models.run("s08", code)
    assert found.loss is None
    assert found.text.startswith(said)
    monkeypatch.undo()
    assert models.run("s13", mistake("s13", "no head")).text.startswith("a result of")


@pytest.fixture
def no_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_numbers, "REASONS", {"two is even": {"s09": ["two"]}})


def outcome(*sums: float, text: str = "…") -> Outcome:
    return Outcome(PerToken(np.array(sums), np.array([2, 2, 2])), text)


RIGHT = outcome(2, 4, 6, text="… a dog.")


def test_a_table_is_sorted_and_says_why_there_is_no_loss(no_reasons: None) -> None:
    found = {
        "one": Outcome(None, "`ValueError` when the model runs"),
        "three": outcome(12, 14.2, 15.9, text="… a a"),
        "two": outcome(2, 4, 6.0001),
        "four": outcome(2.01, 4, 5.99, text="… a cat."),
    }
    assert table("s09", RIGHT, found)[1:] == [
        ["none", "2.00 ± 0.58", "… a dog."],
        ["two", "2.00 (tie)", "as the right model: two is even"],
        ["four", "2.00 (tie)", "… a cat."],
        ["three", "7.02 (+5.02 ± 0.04)", "… a a"],
        ["one", NO_LOSS, "`ValueError` when the model runs"],
    ]


@pytest.mark.parametrize(
    ("name", "out", "said"),
    [
        ("one", outcome(2, 4, 6), "needs a reason for s09 one"),
        ("two", outcome(2, 4, 7), "needs no reason for s09 two"),
        ("two", Outcome(None, "…"), "needs no reason for s09 two"),
        ("one", outcome(1, 3.1, 4.9), "s09 one makes the model better"),
    ],
)
def test_what_the_page_says_must_hold(
    no_reasons: None, name: str, out: Outcome, said: str
) -> None:
    with pytest.raises(BookError, match=said):
        table("s09", RIGHT, {name: out})


def test_a_right_model_without_a_loss_is_an_error() -> None:
    with pytest.raises(BookError, match="right model computes no loss: `KeyError`"):
        table("s09", Outcome(None, "`KeyError`"), {})


def test_reasons_are_of_known_mistakes() -> None:
    for key in RECORDER.names():
        names = {m.name for m in load_mistakes(find_exercise(key))}
        assert same_numbers.reasons(key).keys() <= names
    steps = {key for found in same_numbers.REASONS.values() for key in found}
    assert steps <= set(RECORDER.names())


def test_check_names_a_stale_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {"unscaled": mistake("s08", "unscaled")}
    monkeypatch.setattr(mistake_losses, "sources", lambda key: wrong)
    monkeypatch.setattr(mistake_losses, "LOSSES", tmp_path)
    monkeypatch.setattr(book.recorder, "ROOT", tmp_path)
    path, head = tmp_path / "s08.json", [mistake_losses.HEAD]
    cells = recorded("s08")
    rows = [["none", *cells["none"]], ["unscaled", *cells["unscaled"]]]
    path.write_text(json.dumps(head + rows, indent=1, ensure_ascii=False) + "\n")
    assert RECORDER.run(["s08"], check=True) == 0
    path.write_text(path.read_text().replace("(+2.", "(+1."))
    assert RECORDER.run(["s08"], check=True) == 1
    said = capsys.readouterr().out
    assert said.startswith("s08.json is stale: ")
    assert said.endswith("python -m book.mistake_losses s08\n")
