"""Checks the encore on the tokenizer: from a text to ids and back, and learning."""

import json
from functools import cache
from pathlib import Path

from course.check_program import check_file
from course.checks import CheckFailed, as_plain, kind_of, require
from tests.oracle import tokenizer as oracle

ROOT = Path(__file__).parents[1]
GPT2 = ROOT / "tests" / "golden" / "gpt2"
STORIES = ROOT / "checkpoints" / "tiny-stories"
END = "<|endoftext|>"
PAD = "[pad]"  # another special text
SHOWN = 9  # items of a list that a report shows

HELLO = ["l o", "e l", "l l", "h e", "el lo", "h el"]
LOT = ["Ġ l", "o t", "Ã ©", "Ġl ot", "c a", "ca f", "caf Ã©", "¤ ĸ", "t Ġ", "ð Ł"]


def ranks_of(merges):
    """The ranks of merges that are written as in merges.txt."""
    return {tuple(merge.split(" ")): rank for rank, merge in enumerate(merges)}


def ids_of(*tokens):
    """A vocabulary of all characters, these tokens and two special ones, unordered."""
    every = [*oracle.byte_characters(), *tokens, END, PAD]
    return {token: (31 * i + 5) % 1009 for i, token in enumerate(every)}


def vocabulary_for(merges):
    return ids_of(*(merge.replace(" ", "") for merge in merges))


def differing(value, expected):
    """A list from shortly before the first place where it differs from another."""
    same = zip(value, expected, strict=False)
    first = next((i for i, (a, b) in enumerate(same) if a != b), len(value))
    start = max(0, min(first - 2, len(value) - SHOWN))
    shown = value[start : start + SHOWN]
    before = "… " if start else ""
    after = " …" if start + SHOWN < len(value) else ""
    return f"{before}{', '.join(map(repr, shown)) or 'an empty list'}{after}"


def expect_list(value, expected, asked, message, symptom=None):
    """Requires a list of just these items."""
    got = as_plain(value)
    if got == expected:
        return
    if not isinstance(got, list):
        facts = [("called", asked), ("yours", kind_of(value))]
        raise CheckFailed("The result is not a list.", facts, kind_of(value))
    facts = [("called", asked), ("expected", differing(expected, got))]
    facts.append(("yours", differing(got, expected)))
    raise CheckFailed(message, facts, got, symptom=symptom and symptom(got, expected))


def expect_text(value, expected, asked, message):
    """Requires this text."""
    facts = [("called", asked), ("expected", repr(expected))]
    if value != expected:
        facts.append(("yours", repr(value) if type(value) is str else kind_of(value)))
        raise CheckFailed(message, facts, as_plain(value))


def explain_cut(got, expected):
    """Says how pieces or tokens differ from the right ones, if that has a name."""
    if not all(isinstance(item, str) for item in got):
        return "The items are no texts."
    if "".join(got) != "".join(expected):
        return "Joined, they are not what was cut: something is lost, added or moved."
    starts = [
        {len("".join(cut[:i])) for i in range(len(cut))} for cut in (got, expected)
    ]
    if starts[0] < starts[1]:
        return "All your cuts are right, and some are missing."
    return "All right cuts are there, and more." if starts[0] > starts[1] else None


def expect_pieces(step, text, pieces):
    """Requires these pieces of a text."""
    asked = f"pre_tokenize({text!r})"
    message = "The text is not cut in the right places."
    expect_list(step.pre_tokenize(text), pieces, asked, message, explain_cut)


def expect_merged(step, symbols, merges, expected):
    """Requires these symbols after all merges."""
    asked = f"merge_by_rank({symbols}, ranks), ranks in order: {', '.join(merges)}"
    value = step.merge_by_rank(symbols, ranks_of(merges))
    expect_list(value, expected, asked, "The merges are not right.", explain_cut)


def expect_tokens(step, text, merges, tokens):
    """Requires these tokens of a text."""
    asked = f"tokenize({text!r}, ranks), ranks in order: {', '.join(merges) or 'none'}"
    value = step.tokenize(text, ranks_of(merges))
    expect_list(value, tokens, asked, "These are not the right tokens.", explain_cut)


def expect_ids(step, text, tokens, *, merges=LOT, **options):
    """Requires the ids of these tokens."""
    vocabulary = vocabulary_for(merges)
    expected = [vocabulary[token] for token in tokens]
    more = "".join(f", {name}={value}" for name, value in options.items())
    asked = f"encode({text!r}, vocabulary, ranks{more})"
    value = step.encode(text, vocabulary, ranks_of(merges), **options)
    expect_list(value, expected, asked, "These are not the right ids.", repeated_ids)


def repeated_ids(got, expected):
    """Says whether ids are the right ones in another order or number."""
    if sorted(map(str, got)) == sorted(map(str, expected)):
        return "Yours are the right ids in another order."
    return None


def expect_decoded(step, tokens, text):
    """Requires the text of these tokens."""
    vocabulary = vocabulary_for(LOT)
    ids = [vocabulary[token] for token in tokens]
    shown = ", ".join(f"id of {token!r}" for token in tokens)
    asked = f"decode([{shown}], vocabulary)"
    expect_text(step.decode(ids, vocabulary), text, asked, "That is not the text.")


def expect_learned(step, text, number, expected=None):
    """Requires these merges, written as in merges.txt, or those of the oracle."""
    pairs = oracle.learned(text, number)
    assert expected in (None, list(map(" ".join, pairs)))
    shown = repr(text) if len(text) < 80 else "a story"
    asked = f"learn_merges({shown}, {number})"
    value = step.learn_merges(text, number)
    message = "These are not the merges that the text teaches."
    expect_list(value, [list(pair) for pair in pairs], asked, message, explain_merges)
    are_pairs = all(isinstance(pair, tuple) for pair in value)
    message = "A merge is not a tuple, so it cannot be a key of ranks."
    require(are_pairs, message, asked, [kind_of(pair) for pair in value])


def explain_merges(got, expected):
    """Says how merges differ from the right ones, if that has a name."""
    if got == expected[: len(got)]:
        return "The first of yours are right; the rest is missing."
    if got[: len(expected)] == expected:
        return "Yours go on after the last right one."
    if sorted(map(str, got)) == sorted(map(str, expected)):
        return "Yours are the right merges in another order."
    return None


@cache
def golden():
    """A part of GPT-2's vocabulary and ranks, and texts with their ids in GPT-2."""
    vocabulary = json.loads((GPT2 / "vocab.json").read_text(encoding="utf-8"))
    lines = (GPT2 / "merges.txt").read_text(encoding="utf-8").splitlines()
    cases = json.loads((GPT2 / "texts.json").read_text(encoding="utf-8"))
    return vocabulary, ranks_of(lines[1:]), cases


@cache
def embedded():
    """The vocabulary and the ranks of the embedded model."""
    file = json.loads((STORIES / "tokenizer.json").read_text(encoding="utf-8"))
    merges = file["model"]["merges"]
    vocabulary = file["model"]["vocab"]
    return vocabulary, {tuple(pair): rank for rank, pair in enumerate(merges)}


@cache
def stories():
    """The stories that the embedded model was not trained on."""
    text = (STORIES / "held-out.txt").read_text(encoding="utf-8")
    return [story.strip() for story in text.split(END)]


def test_visible_bytes(step):
    """A byte that is visible in Latin-1 stands for itself.

    So English looks like English in vocab.json, and is easy to read.
    """
    got = as_plain(step.byte_characters())
    asked = "byte_characters()"
    is_table = isinstance(got, list) and len(got) == 256
    require(is_table, "The result is not a list of 256 characters.", asked, got)
    for byte in [*range(33, 127), *range(161, 173), *range(174, 256)]:
        message = f"Byte {byte} is visible, and does not stand for itself."
        require(got[byte] == chr(byte), message, asked, got)


def test_other_bytes(step):
    """The other bytes have the characters from U+0100 on, in order.

    Byte 0 is Ā, a line's end is Ċ, and a space is Ġ.
    """
    value = step.byte_characters()
    message = "These are not the characters of GPT-2's files."
    expect_list(value, oracle.byte_characters(), "byte_characters()", message)


def test_pieces(step):
    """A word takes one space before it, and numbers and signs stand apart.

    "the" at the beginning and " the" inside a text are two pieces, and two tokens.
    """
    expect_pieces(step, "the cat", ["the", " cat"])
    expect_pieces(step, "the the", ["the", " the"])
    expect_pieces(step, "On day 12345, he", ["On", " day", " 12345", ",", " he"])
    expect_pieces(step, "x2=3 !?", ["x", "2", "=", "3", " !?"])
    expect_pieces(
        step, 'He said, "No_way!"', ["He", " said", ",", ' "', "No", "_", "way", '!"']
    )
    expect_pieces(step, "", [])


def test_contractions(step):
    """'s, 't, 're, 've, 'm, 'll and 'd are pieces of their own, in small letters.

    They need no space before them, and whatever follows is cut anew.
    """
    text = "I'm sure we'll say it's Tom's, they've, you're, don't, he'd"
    expect_pieces(step, text, list(oracle.pieces(text)))
    expect_pieces(step, "'three 'em", ["'t", "hree", " '", "em"])
    expect_pieces(step, "DON'T 'twas", ["DON", "'", "T", " '", "twas"])
    expect_pieces(step, "!'s", ["!'", "s"])
    expect_pieces(step, "it’s", ["it", "’", "s"])


def test_spaces(step):
    """Of several spaces the last goes with the next word, the others stay together.

    At the end of a text all of them stay together. A line's end joins no word.
    """
    expect_pieces(step, "a   b", ["a", "  ", " b"])
    expect_pieces(step, "a b ", ["a", " b", " "])
    expect_pieces(step, "  ", ["  "])
    expect_pieces(step, "a\nb", ["a", "\n", "b"])
    expect_pieces(step, "a\n\n\tb\n  ", ["a", "\n\n", "\t", "b", "\n  "])
    expect_pieces(step, "a \n b", ["a", " \n", " b"])
    expect_pieces(step, "a\u00a0\u3000b", ["a", "\u00a0", "\u3000", "b"])


def test_all_scripts(step):
    """Letters and numbers are those of all scripts, as Unicode has them.

    ½, ² and Ⅷ are numbers, too. A combining accent is neither.
    """
    expect_pieces(step, "naïve Straße", ["naïve", " Straße"])
    expect_pieces(step, "日本語 שלום سلام", ["日本語", " שלום", " سلام"])
    expect_pieces(step, "x²½ Ⅷ ०१", ["x", "²½", " Ⅷ", " ०१"])
    expect_pieces(step, "10² mª", ["10²", " mª"])
    expect_pieces(step, "cafe\u0301s", ["cafe", "\u0301", "s"])
    expect_pieces(step, "ok 🤖👍🏽 no", ["ok", " 🤖👍🏽", " no"])


def test_pieces_are_the_text(step):
    """Joined, the pieces are the text again, whatever characters it has."""
    for text in [
        "\x00\x1f\x7f a\u200b\u2028\ufeff b",
        "\r\n \t\v\f\x85z",
        "_a__b_ 1_2",
    ]:
        expect_pieces(step, text, list(oracle.pieces(text)))
    for case in golden()[2]:
        expect_pieces(step, case["text"], list(oracle.pieces(case["text"])))


def test_merge_pair(step):
    """A pair is joined wherever it occurs, and all else stays as it is."""
    message = "The pair is not joined as it should be."
    for symbols, pair, expected in [
        ("abcab", "ab", ["ab", "c", "ab"]),
        ("xyz", "yz", ["x", "yz"]),
        ("ba", "ab", ["b", "a"]),
        ("a", "aa", ["a"]),
        ("", "ab", []),
        (["ab", "c", "a", "bc"], ["ab", "c"], ["abc", "a", "bc"]),
    ]:
        symbols, pair = list(symbols), tuple(pair)
        asked = f"merge_pair({symbols}, {pair})"
        value = step.merge_pair(symbols, pair)
        expect_list(value, expected, asked, message, explain_cut)


def test_merge_pair_from_the_left(step):
    """Where occurrences overlap, the left one is joined: aaa becomes aa and a.

    Four a's become two pairs. The list that was given stays as it is.
    """
    message = "The pair is not joined from left to right."
    for length, expected in [
        (3, ["aa", "a"]),
        (4, ["aa", "aa"]),
        (5, ["aa", "aa", "a"]),
    ]:
        symbols = step.hold(["a"] * length)
        asked = f"merge_pair({['a'] * length}, ('a', 'a'))"
        value = step.merge_pair(symbols, ("a", "a"))
        expect_list(value, expected, asked, message, explain_cut)
        kept = as_plain(symbols.call("copy")) == ["a"] * length
        require(kept, "The list symbols has changed; make a new one.", asked, "changed")


def test_rank_decides(step):
    """The pair with the lowest rank is merged first, wherever it stands.

    Not the pair furthest left, not the longest, and not the one that occurs most.
    """
    expect_merged(step, list("hello"), HELLO[:4], ["h", "el", "lo"])
    expect_merged(step, list("hello"), ["h e", "l l", "l o"], ["he", "ll", "o"])
    expect_merged(step, list("abcbc"), ["a b", "b c"], ["ab", "c", "bc"])
    expect_merged(step, list("abcd"), ["b c", "a b", "c d", "ab c"], ["a", "bc", "d"])


def test_merges_build_on_merges(step):
    """What was merged can be merged again, until no pair has a rank.

    Every occurrence counts, in a long piece as in a short one.
    """
    expect_merged(step, list("hello"), HELLO, ["h", "ello"])
    expect_merged(step, list("lolo"), ["l o", "lo lo"], ["lolo"])
    expect_merged(step, list("aaaaaaa"), ["a a", "aa aa"], ["aaaa", "aa", "a"])
    expect_merged(step, list("xyzxyzxy"), ["x y", "xy z"], ["xyz", "xyz", "xy"])
    expect_merged(step, list("abc"), ["b a", "c b"], ["a", "b", "c"])
    expect_merged(step, ["a"], ["a a"], ["a"])
    expect_merged(step, [], ["a a"], [])


def test_tokens(step):
    """A token is made of bytes: a space is Ġ, and é is two characters.

    Nothing is merged from one piece into the next.
    """
    expect_tokens(step, "a lot", LOT, ["a", "Ġlot"])
    expect_tokens(step, "not lots", LOT, ["n", "ot", "Ġlot", "s"])
    expect_tokens(step, "at a", LOT, ["a", "t", "Ġ", "a"])
    expect_tokens(step, "café", LOT, ["cafÃ©"])
    expect_tokens(step, "é\n", [], ["Ã", "©", "Ċ"])
    expect_tokens(step, "E\u0301a lot\r\n", LOT, ["E", "Ì", "ģ", "a", "Ġlot", "č", "Ċ"])
    expect_tokens(step, "🤖", LOT, ["ðŁ", "¤ĸ"])
    expect_tokens(step, "", LOT, [])


def test_ids(step):
    """Every token has the id that the vocabulary gives it.

    An empty text has no ids.
    """
    expect_ids(step, "a lot", ["a", "Ġlot"])
    expect_ids(step, "lot lot", ["l", "ot", "Ġlot"])
    expect_ids(step, "🤖é", ["ðŁ", "¤ĸ", "Ã©"])
    expect_ids(step, "", [])


def test_end_is_plain_text(step):
    """<|endoftext|> in a text is text like any other, unless the caller allows it.

    Or whoever fills in a form could end the text that a program hands to the model.
    """
    text = f"a{END} lot"
    expect_ids(step, "Ġlot", ["Ä", "ł", "l", "ot"])  # a token's letters are text, too
    expect_ids(step, text, ["a", *END, "Ġlot"])
    expect_ids(step, text, ["a", *END, "Ġlot"], special=[PAD])


def test_special(step):
    """A text in special is one token, and what stands around it is cut apart.

    It may come first, last, or twice in a row.
    """
    special = {"special": [END]}
    expect_ids(step, f"a lot{END}a lot", ["a", "Ġlot", END, "a", "Ġlot"], **special)
    expect_ids(step, f"a {END} lot", ["a", "Ġ", END, "Ġlot"], **special)
    expect_ids(step, f"{END}{END}a", [END, END, "a"], **special)
    expect_ids(step, f"a{END}", ["a", END], **special)
    expect_ids(step, "a<|endoftext>", ["a", *"<|endoftext>"], **special)
    expect_ids(step, f"a{PAD} lot{END}", ["a", PAD, "Ġlot", END], special=(END, PAD))
    expect_ids(step, "", [], **special)


def test_decode(step):
    """The bytes of all tokens, one after the other, are the text.

    A character may begin in one token and end in the next: 🤖 is two tokens here.
    """
    expect_decoded(step, ["a", "Ġlot"], "a lot")
    expect_decoded(step, ["cafÃ©", "Ċ", "Ġlot"], "café\n lot")
    expect_decoded(step, ["ðŁ", "¤ĸ"], "🤖")
    expect_decoded(step, ["Ã", "©", "Ã", "©"], "éé")
    expect_decoded(step, ["a", END, "Ġlot"], f"a{END} lot")
    expect_decoded(step, ["Ġlot", "Ġ", "Ċ"], " lot \n")
    expect_decoded(step, [], "")


def test_bytes_without_a_character(step):
    """U+FFFD stands where the bytes are no UTF-8, and all else is still there.

    A model may write any tokens in any order: decode must not fail.
    """
    expect_decoded(step, ["a", "ðŁ", "Ġlot"], "a\ufffd lot")
    expect_decoded(step, ["¤ĸ", "ot"], "\ufffd\ufffdot")
    expect_decoded(step, ["Ã", "a"], "\ufffda")
    expect_decoded(step, ["ÿ", "Ā", "Ã"], "\ufffd\x00\ufffd")


def test_equal_to_gpt2(step):
    """Hard texts have the ids of GPT-2, and these give the texts back.

    The ids come from OpenAI's own tokenizer, with all of its 50,257 tokens.
    """
    vocabulary, ranks, cases = golden()
    held = step.hold(vocabulary), step.hold(ranks)
    for case in cases:
        asked = f"encode({case['text']!r}, vocabulary, ranks, special=['{END}'])"
        value = step.encode(case["text"], *held, special=[END])
        expect_list(value, case["ids"], asked, "These are not the ids of GPT-2.")
        asked = f"decode({case['ids']}, vocabulary)"
        value = step.decode(case["ids"], held[0])
        expect_text(value, case["text"], asked, "That is not the text again.")


def test_equal_to_tokenizers(step):
    """With the embedded model's merges, stories have the ids of the tokenizers library.

    The program gpt2 uses that library.
    """
    from tokenizers import Tokenizer  # takes a moment

    library = Tokenizer.from_file(str(STORIES / "tokenizer.json"))
    vocabulary, ranks = map(step.hold, embedded())
    for text in [*stories()[:2], *(case["text"] for case in golden()[2])]:
        ids = library.encode(text).ids
        shown = repr(text) if len(text) < 80 else "a story"
        asked = f"encode({shown}, vocabulary, ranks, special=['{END}'])"
        value = step.encode(text, vocabulary, ranks, special=[END])
        expect_list(value, ids, asked, "These are not the ids of tokenizers.")


def test_vocabulary(step):
    """The 256 characters come first, by code point, then the merged tokens.

    So ! has the id 0 in GPT-2, and the first merge has 256.
    """
    for merges in [[], ["Ġ t", "h e", "Ġt he"], ["a b", "b c", "ab c", "a bc", "x y"]]:
        pairs = [tuple(merge.split()) for merge in merges]
        value = step.make_vocabulary(pairs)
        asked = f"make_vocabulary({pairs})"
        is_dict = isinstance(value, dict)
        require(is_dict, "The result is not a dict.", asked, kind_of(value))
        expected = sorted(oracle.vocabulary(pairs).items(), key=lambda item: item[1])
        got = sorted(value.items(), key=lambda item: (str(item[1]).zfill(9), item[0]))
        message = "The tokens do not have the right ids."
        got, expected = [list(x) for x in got], [list(x) for x in expected]
        expect_list(got, expected, asked, message)


def test_learn(step):
    """The commonest pair of neighbours is merged first, and then all are counted again.

    Overlapping occurrences count, too: aaa has a pair of a's twice.
    """
    expect_learned(step, "aaabdaaabac", 1, ["a a"])
    expect_learned(step, "abcdabcdabcdxabcab", 3, ["a b", "ab c", "abc d"])
    expect_learned(step, "aaaaabcbcbc", 1, ["a a"])


def test_learn_inside_pieces(step):
    """Pairs are counted and merged inside pieces, of which each occurrence counts.

    A common word weighs more than two rare ones. Text is bytes here, too.
    """
    expect_learned(step, "a b a b a b", 1, ["Ġ b"])
    expect_learned(step, "a. a. a. b.", 1, ["Ġ a"])
    expect_learned(step, "xy\nxy\nxy\nxz\nwz\nvz", 1, ["x y"])
    expect_learned(step, "AB\nAB\nAB\nab\nab", 1, ["A B"])
    expect_learned(step, "éé\néé", 2, ["Ã ©", "Ã© Ã©"])


def test_learn_ties(step):
    """Of equally common pairs the one with the lower ids goes first.

    The first token decides, then the second. New tokens have higher ids than old ones.
    """
    expect_learned(step, "cb\nab\nbb", 3, ["a b", "b b", "c b"])
    expect_learned(step, "ac\nab", 2, ["a b", "a c"])
    expect_learned(step, "zy\nzx\nyz\nxz", 4, ["x z", "y z", "z x", "z y"])
    expect_learned(step, "abx\nabx\ncd\ncd", 3, ["a b", "c d", "ab x"])
    expect_learned(step, "low low lower newest", 9)


def test_learn_until_nothing_is_left(step):
    """Learning ends with the last merge asked for, or when no neighbours are left."""
    expect_learned(step, "abc", 9, ["a b", "ab c"])
    expect_learned(step, "a", 5, [])
    expect_learned(step, "", 5, [])
    expect_learned(step, "abc", 0, [])


def test_learned_from_a_story(step):
    """Fifty merges of a story are those that the tokenizers library learns from it."""
    expect_learned(step, stories()[0], 50)


if __name__ == "__main__":
    check_file(__file__)
