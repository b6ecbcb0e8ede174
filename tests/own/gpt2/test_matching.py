"""``--matching`` keeps texts on a pattern, and patterns become automata over bytes."""

import json
import re
import time

import numpy as np
import pytest

from course.registry import find_exercise
from gpt2.checkpoint.tokenizer import Tokenizer
from gpt2.decoding import automata
from gpt2.decoding.automata import PatternError, make_automaton
from gpt2.decoding.matching import Matching, Place, make_constraint
from tests.own.gpt2.samples import BPE, STORY, VOCAB, train_bpe
from tests.own.gpt2.test_cli_refusals import usage_error

TEXTS = [
    "",
    "yes",
    "no",
    "a",
    "ab",
    "abc",
    "12",
    "-3.5",
    "3.",
    "é",
    "ö",
    "ÿ",
    "日本",
    "😀",
    "a😀b",
    "x\ny",
    '"hi"',
    '"a"b"',
    "ab$",
    " a b",
    "\x00",
    "\x7f",
    "ࠀ",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "𐀀",
    "\U0010ffff",
    "aé日😀",
    "Z_9",
]
PATTERNS = [
    "yes|no",
    "é|ö|e",
    "a|ab",
    "(a|ab)(c|bcd)?",
    ".*",
    "[^a]*",
    "a.b",
    "(?s)x.y",
    r"-?[0-9]+(\.[0-9]+)?",
    "[日-本]+",
    '"[^"]*"',
    "[à-ÿ]",
    "^yes$",
    r"ab\$",
    r"\w+",
    "[^é]",
    ".",
    "(?i)YES",
    "[(?=]?a",
    "[\x00-\x7f]*",
    "[^\x00-\x7f]+",
    "",
    "[ࠀ-\uffff]",
    "[😀-🙏]",
    " ?(a ?|b){2}",
    "x??y*?|(?:no)",
]
CONSTRAINED = find_exercise("constrained").solved


def accepts(pattern: str, text: bytes) -> bool:
    """Whether a pattern's automaton accepts a text."""
    automaton, state = make_automaton(pattern), 0
    for byte in text:
        state = automaton.table[state, byte]
        if state == -1:
            return False
    return bool(automaton.accepting[state])


@pytest.fixture(scope="module", params=PATTERNS)
def pattern(request: pytest.FixtureRequest) -> str:
    return request.param


# Automata


def test_an_automaton_accepts_what_python_matches(pattern: str) -> None:
    matching = [text for text in TEXTS if re.fullmatch(pattern, text, re.ASCII)]
    assert [text for text in TEXTS if accepts(pattern, text.encode())] == matching


def test_bytes_that_are_no_text_are_never_accepted() -> None:
    for data in (b"\xff", b"\x80", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82"):
        for pattern in (".*", "[^a]*", "(?s).+"):
            assert not accepts(pattern, data)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("a(", "cannot be read: missing \\), unterminated subpattern at position 1"),
        ("[a", "cannot be read: unterminated character set"),
        ("*", "cannot be read: nothing to repeat"),
        (r"\x4", "cannot be read: incomplete escape"),
        ("a{99999999999}", "cannot be read: the repetition number is too large"),
        ("a$b", "no automaton here can read: '\\$'"),
        (r"(a)\1", "no automaton here can read: Group references"),
        (r"a\b", "no automaton here can read: Escape \\\\b"),
        (
            "(?<=a)b",
            "no automaton here can look around or forget ways, as \\(\\?<= does",
        ),
        ("a(?!b)", "no automaton here can look around"),
        ("a*+", "no automaton here can look around or forget ways, as \\*\\+ does"),
        (r"[^\s\S]", "no text matches the pattern"),
        ("(" * 400 + "a" + ")" * 400, "its groups are too deep"),
        (".{0,100}", "it has over 512 states"),
    ],
)
def test_a_bad_pattern_gets_one_sentence(pattern: str, says: str) -> None:
    with pytest.raises(PatternError, match=says) as caught:
        make_automaton(pattern)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pattern", ["a{100000}", "(a|b)*a(a|b){25}"])
def test_a_hostile_pattern_is_stopped(pattern: str, monkeypatch) -> None:
    monkeypatch.setattr(automata, "SECONDS", 1)
    start = time.monotonic()
    with pytest.raises(PatternError, match="too large"):
        make_automaton(pattern)
    assert time.monotonic() - start < 30


def test_too_much_memory_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(automata, "MEMORY", 2**22)
    with pytest.raises(PatternError, match="needs too much memory"):
        make_automaton("too much memory")


# Tokens


def test_the_vocabulary_gives_the_texts() -> None:
    tokenizer = Tokenizer(train_bpe())
    vocabulary = tokenizer.token_bytes
    assert len(vocabulary) == VOCAB
    for text in (*TEXTS, STORY):
        ids = tokenizer.encode(text)
        assert b"".join(vocabulary[i] for i in ids) == text.encode()
    assert [vocabulary[i] for i in tokenizer.end_ids] == [b""]


def matching(pattern: str, size: int = VOCAB) -> Matching:
    """A pattern for the small tokenizer."""
    tokenizer = Tokenizer(train_bpe())
    vocabulary, ends = tokenizer.token_bytes, tokenizer.end_ids
    constraint = make_constraint(make_automaton(pattern), vocabulary, ends, size)
    return Matching(constraint, vocabulary)


def test_a_character_may_be_cut_over_tokens() -> None:
    place = Place(matching("é|ö"))
    ids = BPE.get_vocab()
    first, second, other = (ids[sign] for sign in "Ã©Ģ")
    assert np.flatnonzero(place.constrain(np.zeros(VOCAB)) == 0).tolist() == [first]
    place.advance(first)
    allowed = np.flatnonzero(place.constrain(np.zeros(VOCAB)) == 0).tolist()
    assert second in allowed
    assert other not in allowed


def test_logits_without_a_token_are_never_allowed() -> None:
    place = Place(matching("(?s).*", VOCAB + 7))
    assert np.isinf(place.constrain(np.zeros(VOCAB + 7))[VOCAB:]).all()


def test_what_no_token_can_write_is_refused() -> None:
    vocabulary = [b"", b"a", b"b"]
    constraint = make_constraint(make_automaton("abc"), vocabulary, [0], 3)
    with pytest.raises(PatternError, match="no text of this model's tokens"):
        constraint.check()


# The command


def written(run, *arguments: str) -> dict:
    """Runs the command and returns its JSON."""
    result = run("Once", "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def new_text(report: dict) -> str:
    return report["text"].removeprefix(report["prompt"])


@pytest.mark.parametrize(
    "choice",
    [
        ["--greedy"],
        ["--temperature", "1.7", "--top-p", "1"],
        ["--top-k", "3", "--min-p", "0.2"],
        ["--greedy", "--repetition-penalty", "5"],
        ["--temperature", "0.01"],
        ["--no-cache", "--seed", "4"],
    ],
)
def test_every_way_of_choosing_stays_on_the_pattern(run, table, choice) -> None:
    pattern = " (yes|no|maybe é), [0-9]{2}"
    report = written(run, "--matching", pattern, *choice, "--max-new-tokens", "25")
    assert re.fullmatch(pattern, new_text(report))
    assert report["finish_reason"] == "stop"
    assert report["matches"] is True
    assert report["strategy"]["matching"] == pattern


def test_a_seed_draws_the_same_again(run, table) -> None:
    arguments = ["--matching", "[a-z]{5,9}", "--temperature", "1.5", "--seed"]
    texts = [new_text(written(run, *arguments, seed)) for seed in ("5", "5", "6")]
    assert texts[0] == texts[1] != texts[2]


def test_samples_follow_the_pattern_each_for_itself(run, table) -> None:
    arguments = ["--matching", "(a|b){3}(c|dd)?", "--num-samples", "6", "--seed", "1"]
    report = written(run, *arguments, "--temperature", "1.5")
    texts = [new_text(sample | {"prompt": "Once"}) for sample in report["samples"]]
    assert all(re.fullmatch("(a|b){3}(c|dd)?", text) for text in texts)
    assert len(set(texts)) > 2
    assert {sample["finish_reason"] for sample in report["samples"]} == {"stop"}


def test_a_text_that_is_cut_off_is_told(run, table) -> None:
    result = run("Once", "--json", "--matching", "[a-z]{9}", "--max-new-tokens", "2")
    report = json.loads(result.stdout)
    assert (report["finish_reason"], report["matches"]) == ("length", False)
    told = "the text does not match the pattern yet: more new tokens are needed\n"
    assert told in result.stderr
    many = run("Once", "--matching", "[a-z]{9}", "--max-new-tokens", "2")
    assert told in many.stderr
    several = ["--num-samples", "3", "--max-new-tokens", "2", "--matching", "[a-z]{9}"]
    assert "3 of 3 texts do not match" in run("Once", *several).stderr


def test_a_text_may_match_where_it_is_cut_off(run, table) -> None:
    report = written(run, "--matching", "[^z]*", "--max-new-tokens", "2", "--seed", "0")
    assert (report["finish_reason"], report["matches"]) == ("length", True)
    assert written(run, "--matching", "a?", "--max-new-tokens", "0")["matches"] is True


def test_without_a_pattern_nothing_is_told(run, fake) -> None:
    fake(STORY)
    report = written(run, "--greedy", "--max-new-tokens", "3")
    assert not {"finish_reason", "matches"} & report.keys()
    assert "matching" not in report["strategy"]


def test_steps_show_the_probabilities_of_what_may_follow(run, table) -> None:
    arguments = ["--matching", "yes|no", "--show-steps", "--greedy"]
    result = run("Once", *arguments)
    assert result.exit_code == 0
    assert "<|endoftext|>" in result.stderr
    assert "100" in result.stderr  # after the answer, only the end may follow


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("a(", "--matching: the pattern cannot be read: missing )"),
        ("a$b", "--matching: the pattern has a part that no automaton here can read"),
        (r"[^\s\S]", "--matching: no text matches the pattern."),
        ("a" * 1001, "it has more than 1000 characters."),
        ("\udcff", "it is not UTF-8 text."),
    ],
)
def test_the_command_refuses_a_pattern(run, pattern: str, says: str) -> None:
    assert says in usage_error(run("Once", "--matching", pattern))


def test_beams_refuse_it(run) -> None:
    says = "--beams looks for the likeliest text and cannot be used with --matching."
    assert says in usage_error(run("Once", "--matching", "a", "--beams", "2"))


def test_the_learners_encore_is_used(run, table, steps) -> None:
    always = CONSTRAINED.replace("np.where(allowed, logits,", "np.where(True, logits,")
    pieces = {"encore_sampling": find_exercise("sampling").solved}
    for code, pattern_is_kept in ((CONSTRAINED, True), (always, False)):
        desk = steps(encore_constrained=code, **pieces)
        place = ["--mine", "--strict", "--steps-dir", str(desk), "--seed", "3"]
        report = written(run, "--matching", "[0-9]{3}", *place)
        assert bool(re.fullmatch("[0-9]{3}", new_text(report))) is pattern_is_kept


def test_an_error_in_the_learners_encore_names_the_file(run, table, steps) -> None:
    code = CONSTRAINED.replace("alive = accepting", "raise ValueError('Mine.')", 1)
    place = ["--mine", "--strict", "--steps-dir", str(steps(encore_constrained=code))]
    result = run("Once", "--matching", "a", *place)
    assert result.exit_code == 1
    assert "encore_constrained.py does not run: ValueError: Mine." in result.stderr
