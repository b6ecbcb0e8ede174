"""The tokenizer's oracle and solution do what the library ``tokenizers`` does."""

import json
import random
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from course.registry import ROOT
from solutions import encore_tokenizer as solution
from tests import test_encore_tokenizer as checker
from tests.oracle import tokenizer as oracle
from tests.own.course.solution_here import SolutionHere

STORIES = ROOT / "checkpoints" / "tiny-stories"
LIBRARY = Tokenizer.from_file(str(STORIES / "tokenizer.json"))
CUT = pre_tokenizers.ByteLevel(add_prefix_space=False)
HARD = [
    *(chr(byte) for byte in range(256)),
    *"'sS tTdDlLvVrReEmM",
    *["'s", "'ll", "'re", "  ", " \n", "\r\n", "\t", "_", "\u3000", "\u00a0"],
    *["é", "e\u0301", "ß", "日", "本", "ש", "ل", "०", "½", "²", "Ⅷ", "ª", "🤖", "👩‍👧"],
    *["\u200b", "\u200d", "\ufeff", "\ufffd", "\u2028", "\x85", "\x1c", checker.END],
]


def hard_texts(number: int, seed: int) -> list[str]:
    """Random texts of what is hard."""
    rng = random.Random(seed)
    return ["".join(rng.choices(HARD, k=rng.randint(0, 25))) for _ in range(number)]


def library_pieces(text: str) -> list[str]:
    """The library's pieces, as parts of the text."""
    return [text[start:end] for _, (start, end) in CUT.pre_tokenize_str(text)]


def test_pieces() -> None:
    for text in hard_texts(3000, seed=0):
        pieces = library_pieces(text)
        assert solution.pre_tokenize(text) == pieces, text
        assert list(oracle.pieces(text)) == pieces, text


def test_bytes() -> None:
    assert solution.byte_characters() == oracle.byte_characters()
    assert sorted(solution.byte_characters()) == sorted(CUT.alphabet())


def test_ids_and_text() -> None:
    vocabulary, ranks = checker.embedded()
    for text in hard_texts(1500, seed=1):
        ids = LIBRARY.encode(text).ids
        assert solution.encode(text, vocabulary, ranks, special=[checker.END]) == ids
        text = LIBRARY.decode(ids, skip_special_tokens=False)
        assert solution.decode(ids, vocabulary) == text


def test_tokens_of_the_oracle() -> None:
    _, ranks = checker.embedded()
    for text in hard_texts(200, seed=2):
        assert oracle.tokens(text, ranks) == solution.tokenize(text, ranks), text


def test_any_ids_give_the_text_of_the_library() -> None:
    vocabulary, _ = checker.embedded()
    tokens = {number: token for token, number in vocabulary.items()}
    rng = random.Random(3)
    for _ in range(1500):
        ids = [rng.randrange(len(vocabulary)) for _ in range(rng.randint(0, 12))]
        ids += [rng.randrange(257) for _ in range(4)]  # mostly single bytes
        text = LIBRARY.decode(ids, skip_special_tokens=False)
        assert solution.decode(ids, vocabulary) == text
        assert oracle.decoded([tokens[i] for i in ids]) == text


def library_merges(text: str, number: int) -> list[tuple[str, str]]:
    """The merges that the library's trainer learns."""
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = CUT
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=256 + number,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    library.train_from_iterator([text], trainer)
    return [tuple(pair) for pair in json.loads(library.to_str())["model"]["merges"]]


@pytest.mark.parametrize("number", range(4))
def test_merges_of_a_story(number: int) -> None:
    story = checker.stories()[number]
    merges = library_merges(story, 50)
    assert len(merges) == 50
    assert solution.learn_merges(story, 50) == merges
    assert oracle.learned(story, 50) == merges


def test_merges_of_hard_texts() -> None:
    text = " ".join(hard_texts(60, seed=4))
    merges = library_merges(text, 80)
    assert solution.learn_merges(text, 80) == merges


def one_place_at_a_time(symbols: Any, ranks: Any) -> list[str]:
    """Merges the first place of the lowest rank, as libraries do."""
    return oracle.merged(symbols, ranks)


CHECKS = [name for name in vars(checker) if name.startswith("test_")]


@pytest.mark.parametrize("name", CHECKS)
def test_merging_one_place_at_a_time_is_right_too(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solution, "merge_by_rank", one_place_at_a_time)
    getattr(checker, name)(SolutionHere(solution))
