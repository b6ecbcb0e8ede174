"""No page uses an idea before a page has explained it."""

import pytest

from book import first_uses
from book.first_uses import Idea, Passage, early_uses, explained, load_ideas, plain

IDEAS = load_ideas()
SHARE = Idea("share", "later", "The idea", words=("shares?",), says="a share is")
GATHER = Idea("F.gather", "later", "In MAX")


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)
def test_named_place_explains_the_idea(idea: Idea) -> None:
    assert explained(idea) is not None, f"{idea.page} “{idea.heading}”: {idea.says}"


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)
def test_idea_is_used_only_after_its_place(idea: Idea) -> None:
    found = [(passage.page, words) for passage, words in early_uses(idea)]
    assert found == [], "python -m book.first_uses"


def test_list_has_the_ideas_of_the_model_and_of_max() -> None:
    names = [idea.name for idea in IDEAS]
    assert len(names) == len(set(names)) >= 35
    assert sum(idea.is_operation for idea in IDEAS) >= 15


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> list[Passage]:
    """Two pages, in place of the book's."""
    pages = [
        Passage("early", "The problem", "text", "Nobody shares here, says a SHARE."),
        Passage("early", "The task", "code", "share = F.gather(table)"),
        Passage("later", "The idea", "text", "A shareholder: a share is a part."),
        Passage("later", "In MAX", "text", "There is F.gather, shown below."),
        Passage("later", "In MAX", "run", "print(F.gather(table, ids, axis=0))"),
    ]
    monkeypatch.setattr(first_uses, "passages", lambda: tuple(pages))
    return pages


def test_use_before_the_explanation_is_found(book: list[Passage]) -> None:
    assert explained(SHARE) == 2
    assert [passage for passage, _ in early_uses(SHARE)] == [book[0]]
    other = Idea("share", "later", "The idea", ("shares?",), "a share is", ("a share",))
    [(_, words)] = early_uses(other)
    assert words.startswith("Nobody shares")


def test_task_may_not_need_an_operation_that_no_example_shows(
    book: list[Passage],
) -> None:
    assert explained(GATHER) == 3
    assert [passage for passage, _ in early_uses(GATHER)] == [book[1]]
    del book[4]
    assert explained(GATHER) is None


def test_place_that_explains_nothing_is_found(book: list[Passage]) -> None:
    assert explained(Idea("share", "later", "The idea", says="shares sum to 1")) is None
    assert explained(Idea("share", "early", "The idea", says="a share is")) is None


def test_reader_sees_no_markup_and_no_names_of_exercises() -> None:
    text = "A *token* of [`dog`](a.md): **0**\n| Causal mask | <b>C</b> | 2 &lt; 3 |"
    assert plain(text) == "A token of dog: 0 | | C | 2 < 3 |"
