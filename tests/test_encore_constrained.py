"""Checks the encore constrained decoding."""

import json
from functools import cache
from pathlib import Path

import numpy as np

from course.check_program import check_file
from course.checks import (
    CheckFailed,
    as_plain,
    compared,
    expect_numbers,
    judged,
    kind_of,
    require,
)
from course.messages import Array
from course.student import Raised
from tests import fakes
from tests.oracle import automata as oracle
from tests.oracle.notes import note

GOLDEN = Path(__file__).parent / "golden" / "constrained.json"
OUT, END = -1, 0
GONE = -np.inf
# yes|no, and a vocabulary in which several tokens make the same text.
YES_OR_NO = oracle.automaton(
    5, {(0, "y"): 1, (1, "e"): 2, (2, "s"): 3, (0, "n"): 4, (4, "o"): 3}, [3]
)
WORDS = [b"", b"y", b"ye", b"es", b"s", b"n", b"no", b"o", b"yes", b"e", b"nope", b" "]
# -?[0-9]+(\.[0-9]+)?
NUMBER = oracle.automaton(
    5,
    {
        (0, "-"): 1,
        (0, "0123456789"): 2,
        (1, "0123456789"): 2,
        (2, "0123456789"): 2,
        (2, "."): 3,
        (3, "0123456789"): 4,
        (4, "0123456789"): 4,
    },
    [2, 4],
)
DIGITS = [b"7", b"-1", b".", b"", b"42", b"3.1", b"-", b"..", b"a", b"4.", b"1a"]
# é|ö|e: the letters é and ö are two bytes each, and the first byte is the same.
LETTERS = oracle.automaton(3, {(0, "\xc3"): 1, (1, "\xa9\xb6"): 2, (0, "e"): 2}, [2])
PARTS = [b"\xc3", b"\xa9", b"\xc3\xa9", b"", b"e", b"\xb6", b"\xff", b"\xc3\xc3"]
# From 0, "a" leads through 1 to the end 4. With "b" a text can never end: 2 and 3 lead
# to each other. From 5, which only "d" reaches, there is no byte at all.
LOOP = oracle.automaton(
    6,
    {(0, "a"): 1, (1, "c"): 4, (0, "b"): 2, (2, "b"): 3, (3, "b"): 2, (0, "d"): 5},
    [4],
)
LOOP_WORDS = [b"b", b"bb", b"a", b"c", b"d", b"", b"ac", b"bbb"]


def random_case(seed, dtype="int64"):
    """An automaton of six states over the letters a, b and c, and nine tokens."""
    rng = np.random.default_rng(seed)
    table = np.full([6, 256], OUT, dtype)
    table[:, [97, 98, 99]] = np.where(
        rng.random([6, 3]) < 0.5, rng.integers(0, 6, [6, 3]), OUT
    )
    lengths = rng.integers(1, 4, 30)
    words = {bytes(rng.integers(97, 100, n).tolist()) for n in lengths}
    vocabulary = [b"", *sorted(words)[:8]]
    return (table, rng.random(6) < 0.3), vocabulary


def case_of(pattern, vocabulary):
    return f"an automaton with {len(pattern[1])} states, vocabulary {vocabulary}"


def whole_numbers(value, shape, asked, kind):
    """Requires an array of whole numbers or bools of this shape; returns it."""
    facts = [("called", asked), ("expected", f"numpy array of {kind} {shape}")]
    facts.append(("yours", kind_of(value)))
    if not isinstance(value, Array) or value.kind != "numpy array":
        raise CheckFailed("The result is not a NumPy array.", facts, kind_of(value))
    if value.shape != shape:
        raise CheckFailed("The result has the wrong shape.", facts, value.values)
    if value.values.dtype.kind not in ("b" if kind == "bools" else "iu"):
        raise CheckFailed("The result has the wrong dtype.", facts, value.values)
    return value.values


def expect_whole(value, expected, asked, kind, axes, describe):
    """Requires these whole numbers or bools; ``describe`` words the first that is not.

    Args:
        describe: gets the place of a number and returns a label and a sentence.
    """
    comparison = compared(value, expected, asked, axes=axes)

    def get():
        got = whole_numbers(value, list(expected.shape), asked, kind)
        if (got != expected).any():
            place = tuple(np.argwhere(got != expected)[0].tolist())
            message = f"The {kind} are not right."
            facts = [("called", asked), describe(got, place)]
            raise CheckFailed(message, facts, got.astype(float))
        return got

    return judged(comparison, get)


def expect_walk(step, table, states, token):
    given = np.array(states)
    rows = table.tolist()
    expected = np.array([oracle.after(rows, state, token) for state in states])
    asked = f"walk(table, {list(states)}, {token})"

    def describe(got, place):
        right, yours = expected[place], got[place]
        return f"from state {states[place[0]]}", f"expected {right}, yours {yours}"

    value = step.walk(table, given, token)
    expect_whole(value, expected, asked, "states", "state", describe)


def expect_destinations(step, pattern, vocabulary):
    expected = oracle.destinations(pattern[0], vocabulary)
    asked = f"token_destinations of {case_of(pattern, vocabulary)}"

    def describe(got, place):
        state, token = place
        text = f"expected {expected[place]}, yours {got[place]}"
        return f"state {state}, token {vocabulary[token]}", text

    value = step.token_destinations(pattern[0], vocabulary)
    expect_whole(value, expected, asked, "states", "state token", describe)


def expect_allowed(step, pattern, vocabulary, end_ids=(END,)):
    reached = oracle.destinations(pattern[0], vocabulary)
    expected = oracle.allowed(reached, pattern[1], end_ids)
    note("whether a token fits", (reached != OUT).astype(float))
    note("the destinations", reached.astype(float))
    asked = f"allowed_tokens of {case_of(pattern, vocabulary)}, end_ids {end_ids}"

    def describe(got, place):
        state, token = place
        right, yours = (
            "allowed" if mask[place] else "not allowed" for mask in (expected, got)
        )
        name = "the end token" if token in end_ids else f"token {vocabulary[token]}"
        return f"state {state}, {name}", f"expected: {right}, yours: {yours}"

    value = step.allowed_tokens(reached, pattern[1], list(end_ids))
    expect_whole(value, expected, asked, "bools", "state token", describe)


def ids_and_bool(value, asked):
    """Requires a pair of ids and a bool; returns the pair."""
    got = as_plain(value)
    pair = isinstance(got, list) and len(got) == 2
    if not (pair and isinstance(got[0], list) and isinstance(got[1], bool)):
        facts = [("called", asked), ("yours", kind_of(value))]
        raise CheckFailed("The result is not a list of ids and a bool.", facts, got)
    return got


def expect_text(step, model, prompt, pattern, vocabulary, most, end_ids=(END,)):
    """Requires the oracle's ids, and whether they match."""
    found = oracle.matching(model, prompt, pattern, vocabulary, end_ids, most)
    asked = f"generate_matching(next_logits, {prompt}, …, max_new_tokens={most})"
    options = {"end_ids": list(end_ids), "max_new_tokens": most}
    held = step.hold(model)
    value = step.generate_matching(held, list(prompt), *pattern, vocabulary, **options)
    ids, matches = ids_and_bool(value, asked)
    right, yours = (words(i[len(prompt) :], vocabulary) for i in (found[0], ids))
    facts = [("called", asked), ("expected", f"{right}, {found[1]}")]
    facts.append(("yours", f"{yours}, {matches}"))
    if ids != found[0]:
        symptom = explain_text(ids, found[0], len(prompt))
        message = "Those are not the tokens to be chosen."
        raise CheckFailed(message, facts, [ids, matches], symptom=symptom)
    if matches != found[1]:
        message = "The tokens are right, but not whether the text matches."
        raise CheckFailed(message, facts, [ids, matches])


def words(ids, vocabulary):
    return [vocabulary[i] if 0 <= i < len(vocabulary) else i for i in ids]


def explain_text(ids, expected, start):
    """Says in a sentence how ids differ from the right ones; None if unknown."""
    if ids == expected[start:]:
        return "Yours is the new tokens alone: the prompt is missing."
    if expected[: len(ids)] == ids:
        return "Yours is the beginning of the right text: the end is missing."
    if ids[: len(expected)] == expected:
        return "Yours goes on after the right text."
    if ids[:start] != expected[:start]:
        return "Yours does not even begin with the prompt."
    return None


def likes(vocabulary, *favourites):
    """A model that prefers these tokens, in this order, whatever the text."""
    logits = np.linspace(-1, -2, len(vocabulary), dtype=np.float32)
    for rank, token in enumerate(favourites):
        logits[vocabulary.index(token)] = 5 - rank
    return fakes.TextLogits(np.tile(logits, [len(vocabulary), 1]))


@cache
def golden():
    content = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return [token.encode("latin-1") for token in content["vocabulary"]], content[
        "cases"
    ]


def automaton_of(case):
    table = np.full([case["states"], 256], OUT)
    for state, first, last, to in case["arrows"]:
        table[state, first : last + 1] = to
    return table, np.isin(np.arange(case["states"]), case["accepting"])


def test_walk(step):
    """walk follows all bytes of a token, from each state at once.

    One token may cross several states, and the same token leads from different states
    to different ones.
    """
    for dtype in ("int64", "int16"):
        arrows = {(i, "a"): to for i, to in enumerate([1, 0, 2, 0, 2])}
        arrows |= {(i, "b"): to for i, to in enumerate([3, 4, 1, 2, 3])}
        table, _ = oracle.automaton(5, arrows, [2], dtype)
        for token in (b"a", b"ab", b"aba", b"aa", b"abaaa"):
            expect_walk(step, table, [0, 3, 4, 1, 2, 3, 0], token)


def test_walk_out(step):
    """A text that has left the pattern stays outside, whatever follows.

    OUT is -1, and NumPy takes the index -1 for the last row: without care the walk goes
    on from the last state.
    """
    # The last state accepts everything.
    table, _ = oracle.automaton(3, {(0, "a"): 1, (1, "b"): 2, (2, "abc"): 2}, [2])
    expect_walk(step, table, [OUT, 2, OUT, 0], b"a")
    for token in (b"ca", b"bab", b"aab", b"acc", b"c"):
        expect_walk(step, table, [0, 1, 2, 0], token)


def test_walk_without_bytes(step):
    """A token without bytes leads nowhere else: the states stay as they are."""
    expect_walk(step, YES_OR_NO[0], [3, 0, OUT, 4, 1, 1], b"")


def test_walk_in_a_character(step):
    """Tokens are bytes: a token may end in the middle of a character, or begin there.

    é is two bytes, and GPT-2 may write them with two tokens.
    """
    for token in (b"\xc3", b"\xa9", b"\xc3\xa9", b"\xc3\xb6", b"\xb6", b"\xff"):
        expect_walk(step, LETTERS[0], [0, 1, 2, 0], token)


def test_destinations(step):
    """token_destinations has a row for each state and a column for each token.

    It says where each token leads from each state, or OUT.
    """
    for pattern, vocabulary in [
        (YES_OR_NO, WORDS[1:]),
        (NUMBER, [token for token in DIGITS if token]),
        (LETTERS, [token for token in PARTS if token]),
    ]:
        expect_destinations(step, pattern, vocabulary)
    for seed in range(4):
        pattern, vocabulary = random_case(seed, "int16" if seed % 2 else "int64")
        expect_destinations(step, pattern, vocabulary[1:])


def test_destinations_without_text(step):
    """A token without text fits nowhere, so it is never chosen for the pattern's sake.

    It would leave the state as it is, and a text of such tokens would never get on.
    """
    for pattern, vocabulary in [(YES_OR_NO, WORDS), (NUMBER, DIGITS), (LETTERS, PARTS)]:
        expect_destinations(step, pattern, vocabulary)
    expect_destinations(step, NUMBER, [b"", b"5", b"", b"-"])


def test_allowed(step):
    """Where no dead end is near, exactly the tokens that fit are allowed.

    Several ways of cutting a text into tokens are allowed beside each other: "yes", or
    "ye" and then "s".
    """
    expect_allowed(step, YES_OR_NO, WORDS)
    expect_allowed(step, LETTERS, PARTS, end_ids=(3,))


def test_end(step):
    """The end is allowed where the text may end, and nowhere else.

    "4" may end, but may also go on; "4." may not end. Every end token counts, wherever
    it stands in the vocabulary.
    """
    expect_allowed(step, NUMBER, DIGITS, end_ids=(3,))
    expect_allowed(step, NUMBER, [*DIGITS, b""], end_ids=(3, 11))
    table, _ = NUMBER
    expect_allowed(step, (table, np.array([1, 0, 0, 0, 1], bool)), DIGITS, (3,))


def test_dead_end(step):
    """A token that fits is not allowed if no token can complete the text after it.

    Here é and ö need two tokens, and the second one is missing from the vocabulary.
    """
    expect_allowed(step, LETTERS, [b"", b"\xc3", b"e", b"a", b"\xc3e"])
    expect_allowed(step, LETTERS, [b"", b"\xc3", b"e", b"\xc3\xb6"])


def test_dead_end_far_ahead(step):
    """A dead end may be many tokens away, and so may the way to the end.

    Of a and b, each followed by nine more letters, only b can be completed. The states
    have numbers in any order.
    """
    arrows = {(0, "a"): 1, (0, "b"): 11, (9, "a"): 10, (19, "b"): 10}
    arrows |= {(i, "a"): i + 1 for i in range(1, 9)}
    arrows |= {(i, "b"): i + 1 for i in range(11, 19)}
    pattern = oracle.automaton(20, arrows, [10])
    del arrows[9, "a"]
    broken = oracle.automaton(20, arrows, [10])
    for one in (pattern, broken, renumbered(pattern), renumbered(broken)):
        expect_allowed(step, one, [b"", b"a", b"b", b"bb"])


def renumbered(pattern):
    """The same automaton, whose states but the first have the opposite order."""
    table, accepting = pattern
    order = np.array([0, *range(len(table) - 1, 0, -1)])
    return np.where(table == OUT, OUT, order[table])[order], accepting[order]


def test_dead_loop(step):
    """A loop without a way out is a dead end, too: the text would never be complete."""
    expect_allowed(step, LOOP, LOOP_WORDS, end_ids=(5,))


def test_only_by_whole_tokens(step):
    """What counts is what the tokens can do, not what single bytes could do.

    After "a" the byte "b" would complete the text, but no token is just "b".
    """
    pattern = oracle.automaton(4, {(0, "a"): 1, (1, "b"): 2, (2, "c"): 3}, [2])
    expect_allowed(step, pattern, [b"", b"a", b"ab", b"c", b"abc", b"bc"])


def test_any_automaton(step):
    """On random automata and vocabularies the allowed tokens are the right ones."""
    for seed in range(20):
        pattern, vocabulary = random_case(seed)
        expect_allowed(step, pattern, vocabulary, (0,) if seed % 2 else (0, 4))


def test_equal_to_llguidance(step):
    """On real tokens and seven patterns, what may follow is what llguidance says.

    llguidance is a library with which servers constrain texts. The vocabulary is the
    beginning of the embedded model's.
    """
    vocabulary, cases = golden()
    for case in cases:
        table, accepting = automaton_of(case)
        asked = f"the tokens that may follow, for the pattern {case['pattern']}"
        shape = [len(table), len(vocabulary)]
        value = step.token_destinations(table, vocabulary)
        reached = whole_numbers(value, shape, asked, "states")
        value = step.allowed_tokens(reached, accepting, [END])
        allowed = whole_numbers(value, shape, asked, "bools")
        for walk in case["walks"]:
            follow(walk, reached, allowed, vocabulary, asked)


def follow(walk, reached, allowed, vocabulary, asked):
    """Requires what may follow at each place of a recorded walk."""
    state, text = 0, b""
    for bits, token in walk:
        packed = np.frombuffer(bytes.fromhex(bits), np.uint8)
        right = np.unpackbits(packed, count=len(vocabulary)).astype(bool)
        if (allowed[state] != right).any():
            wrong = int(np.argmax(allowed[state] != right))
            verdict = "may follow" if right[wrong] else "may not follow"
            name = "the end" if wrong == END else f"the token {vocabulary[wrong]}"
            facts = [("asked for", asked), ("after", f"{text}")]
            facts.append(("expected", f"{name} {verdict}"))
            message = "Other tokens may follow than llguidance says."
            raise CheckFailed(message, facts, allowed.astype(float))
        state, text = int(reached[state, token]), text + vocabulary[token]


def test_constrain(step):
    """constrain makes the logits -inf that are not allowed, and changes no other.

    Softmax makes a probability of exactly 0 of -inf, so no draw can take the token.
    """
    for dtype in (np.float32, np.float64):
        logits = np.array([1.5, -20, 0, 3, GONE, -0.5, 2], dtype)
        for kept in ([0, 2, 5], [1], range(7), [4, 6]):
            allowed = np.isin(np.arange(7), list(kept))
            note("the logits", logits)
            note("what is allowed", allowed.astype(float))
            asked = f"constrain({logits.tolist()}, {allowed.tolist()})"
            expected = np.where(allowed, logits, GONE)
            expect_numbers(step.constrain(logits, allowed), expected, asked)


def test_generate(step):
    """In each state, the likeliest of the allowed tokens is chosen.

    The model would rather write something else, and has no say in the form.
    """
    for favourites in ([b" ", b"ye", b"e"], [b"s", b"y"], [b"o", b"n", b"nope"], []):
        expect_text(step, likes(WORDS, *favourites), [11], YES_OR_NO, WORDS, 7)
    for seed in range(3):
        model = random_model(seed, DIGITS)
        expect_text(step, model, [8, 2, 2], NUMBER, DIGITS, 6, end_ids=(3,))


def random_model(seed, vocabulary):
    table = np.random.default_rng(seed).normal(0, 1.5, (499, len(vocabulary)))
    return fakes.TextLogits(table.astype(np.float32), whole_text=True)


def test_prompt(step):
    """The prompt has no part in the pattern: matching begins with the first new token.

    The prompt may hold anything, an end and half of an answer too. The model sees all
    of it, and it comes back unchanged before the new ids.
    """
    for prompt in ([1], [11, 10, 0], [0], [8, 8], [2, 5, 11, 7]):
        model = random_model(4, WORDS)
        expect_text(step, model, prompt, YES_OR_NO, WORDS, 7)
    held = step.hold([11, 2])
    options = {"end_ids": [END], "max_new_tokens": 3}
    model = step.hold(likes(WORDS, b"no"))
    step.generate_matching(model, held, *YES_OR_NO, WORDS, **options)
    message = "The list prompt_ids has changed; make a new one instead."
    asked = "generate_matching(next_logits, prompt_ids, …)"
    require(as_plain(held.call("copy")) == [11, 2], message, asked, "changed")


def test_other_states_do_not_matter(step):
    """Only the present state decides: others may allow nothing at all.

    Here no token follows in the states 2, 3 and 5, which a text on the pattern never
    reaches.
    """
    for favourites in ([b"b", b"c"], [b"d", b"bb", b"ac"]):
        model = likes(LOOP_WORDS, *favourites)
        expect_text(step, model, [4, 0], LOOP, LOOP_WORDS, 5, end_ids=(5,))


def test_text_ends(step):
    """The text ends with an end token, which is kept, and then it matches."""
    for most in (2, 3, 9):
        expect_text(step, likes(WORDS, b"", b"yes"), [5], YES_OR_NO, WORDS, most)
    model = likes([*DIGITS, b"."], b"", b"42", b"-")
    model.table[:, 11] = 9
    expect_text(step, model, [4], NUMBER, [*DIGITS, b""], 5, end_ids=(3, 11))


def test_cut_off(step):
    """A text that is cut off matches only if it may end where it is cut.

    "4" is a number, "4." is not one yet. With no new token at all, the new text is
    empty, and it depends on the pattern whether that matches.
    """
    model = likes(DIGITS, b".", b"42", b"-1")
    for most in (0, 1, 2, 3, 4):
        expect_text(step, model, [8], NUMBER, DIGITS, most, end_ids=(3,))
    empty = NUMBER[0], np.array([1, 0, 1, 0, 1], bool)
    for most in (0, 2):
        expect_text(step, model, [8, 3], empty, DIGITS, most, end_ids=(3,))


def test_no_way_to_begin(step):
    """If the vocabulary's tokens make no text of the pattern, ValueError is raised.

    That is better than a text which can never be completed.
    """
    for pattern, vocabulary in [
        (YES_OR_NO, [b"", b"y", b"ye", b"n"]),
        (YES_OR_NO, [b"", b"es", b"o"]),
        (LOOP, [b"", b"b", b"d"]),
    ]:
        model = step.hold(likes(vocabulary))
        options = {"end_ids": [END], "max_new_tokens": 3}
        asked = f"generate_matching with {case_of(pattern, vocabulary)}"
        try:
            value = step.generate_matching(model, [1], *pattern, vocabulary, **options)
        except Raised as error:
            if error.failure.type_name != "ValueError":
                raise
            continue
        message = "No text of these tokens matches, and no ValueError is raised."
        require(False, message, asked, as_plain(value))


if __name__ == "__main__":
    check_file(__file__)
