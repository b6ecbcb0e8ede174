"""The files of a tokenizer: added tokens, flags, forms, contradictions."""

import json

import pytest

from gpt2.checkpoint.tokenizer import load_tokenizer
from tests.own.gpt2.samples import BPE, VOCAB
from tests.own.gpt2.test_tokenizer import sentence

FIRST = VOCAB  # the id of the first added token


def token(content, **flags):
    """Returns a token as ``added_tokens_decoder`` has it."""
    names = ("lstrip", "rstrip", "single_word", "normalized", "special")
    return {"content": content} | dict.fromkeys(names, False) | flags


@pytest.fixture(params=["tokenizer.json", "vocab.json and merges.txt"])
def saved(request, tmp_path):
    """Writes the tokenizer in each form; a test adds other files to the folder."""

    def save(**files):
        if request.param == "tokenizer.json":
            BPE.save(str(tmp_path / "tokenizer.json"))
        else:
            BPE.model.save(str(tmp_path))
        for name, content in files.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content))
        return tmp_path

    return save


def pieces(folder, text):
    """Returns the tokens of a text, as text."""
    tokenizer = load_tokenizer(folder)
    return [tokenizer.token(number) for number in tokenizer.encode(text)]


@pytest.mark.parametrize(
    "files",
    [
        {"added_tokens": {"<|b|>": FIRST + 1, "florbix": FIRST}},
        {
            "tokenizer_config": {
                "added_tokens_decoder": {
                    str(FIRST + 1): token("<|b|>", special=True),
                    str(FIRST): token("florbix"),
                }
            }
        },
        {
            "added_tokens": {"florbix": FIRST},
            "special_tokens_map": {"additional_special_tokens": ["<|b|>"]},
        },
        {
            "added_tokens": {"florbix": FIRST, "<|b|>": FIRST + 1},
            "special_tokens_map": {"mask_token": token("<|b|>")},
            "tokenizer_config": {"pad_token": "<|b|>", "added_tokens_decoder": None},
        },
    ],
)
def test_added_tokens_are_tokens(saved, files):
    tokenizer = load_tokenizer(saved(**files))
    b = tokenizer.encode("b")
    ids = [*tokenizer.encode("a"), FIRST, *b, FIRST + 1, *b]
    assert tokenizer.encode("aflorbixb<|b|>b") == ids
    assert tokenizer.size == VOCAB + 2
    assert tokenizer.token(FIRST) == "florbix"
    assert tokenizer.decode([FIRST]) == "florbix"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, ["a", " ", "<b>", " ", "c", "<b>"]),
        ({"lstrip": True}, ["a", " <b>", " ", "c", "<b>"]),
        ({"rstrip": True}, ["a", " ", "<b> ", "c", "<b>"]),
    ],
)
def test_flags_of_added_tokens(saved, flags, expected):
    config = {"added_tokens_decoder": {str(FIRST): token("<b>", **flags)}}
    folder = saved(tokenizer_config=config)
    tokenizer = load_tokenizer(folder)
    ids = tokenizer.encode("a <b> c<b>")
    space, a, c = (tokenizer.encode(text) for text in (" ", "a", "c"))
    known = {" ": space, "a": a, "c": c}
    whole = [known.get(piece, [FIRST]) for piece in expected]
    assert ids == [number for part in whole for number in part]


def test_single_word(saved):
    entry = token("cat", single_word=True)
    folder = saved(tokenizer_config={"added_tokens_decoder": {str(FIRST): entry}})
    assert FIRST in load_tokenizer(folder).encode("a cat.")
    assert FIRST not in load_tokenizer(folder).encode("catalogue")


@pytest.mark.parametrize(
    "files",
    [
        {"added_tokens": {"florbix": FIRST + 5}},
        {"added_tokens": {"florbix": 7}},
        {"tokenizer_config": {"added_tokens_decoder": {"7": token("florbix")}}},
        {"added_tokens": {"one": FIRST, "two": FIRST}},
    ],
)
def test_files_that_contradict_each_other(saved, files):
    assert "contradict each other" in sentence(saved(**files))


@pytest.mark.parametrize(
    "files",
    [
        {"added_tokens": {"florbix": "x"}},
        {"tokenizer_config": {"added_tokens_decoder": {"x": {}}}},
        {"tokenizer_config": {"added_tokens_decoder": {str(FIRST): {"lstrip": 1}}}},
        {"tokenizer_config": {"added_tokens_decoder": [1]}},
    ],
)
def test_damaged_lists_of_added_tokens(saved, files):
    assert "cannot be read" in sentence(saved(**files))


def test_tokenizer_json_has_priority(tmp_path):
    BPE.save(str(tmp_path / "tokenizer.json"))
    reverse = {text: VOCAB - 1 - number for text, number in BPE.get_vocab().items()}
    (tmp_path / "vocab.json").write_text(json.dumps(reverse))
    (tmp_path / "merges.txt").write_text("")
    assert load_tokenizer(tmp_path).encode("Once") == BPE.encode("Once").ids


def test_tokens_past_the_models_are_text(saved):
    folder = saved(special_tokens_map={"pad_token": "[PAD]"})
    assert load_tokenizer(folder).encode("[PAD]") == [FIRST]
    tokenizer = load_tokenizer(folder, VOCAB)
    assert tokenizer.size == VOCAB
    assert tokenizer.encode("a[PAD]") == BPE.encode("a[PAD]").ids


def test_end_of_text_that_is_not_marked(tmp_path):
    content = json.loads(BPE.to_str()) | {"added_tokens": []}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.encode("<|endoftext|>") == [tokenizer.end_of_text_id]
    assert tokenizer.decode([tokenizer.end_of_text_id]) == ""


@pytest.mark.parametrize("spaced", [False, True])
def test_space_before_a_text(saved, spaced):
    folder = saved(tokenizer_config={"add_prefix_space": spaced})
    text = " Once" if spaced else "Once"
    assert load_tokenizer(folder).encode("Once") == BPE.encode(text).ids


@pytest.mark.parametrize(
    "change",
    [
        lambda merges: merges.replace(b"\n", b"\r\n"),
        lambda merges: b"\xef\xbb\xbf" + merges,
        lambda merges: merges.partition(b"\n")[2],
        lambda merges: b"\xef\xbb\xbf" + merges.partition(b"\n")[2],
        lambda merges: merges + b"\n\n",
        lambda merges: merges.rstrip(b"\n"),
    ],
    ids=["crlf", "bom", "no version", "bom, no version", "empty lines", "no newline"],
)
def test_merges_as_editors_save_them(tmp_path, change):
    BPE.model.save(str(tmp_path))
    file = tmp_path / "merges.txt"
    file.write_bytes(change(file.read_bytes()))
    vocabulary = (tmp_path / "vocab.json").read_bytes()
    (tmp_path / "vocab.json").write_bytes(b"\xef\xbb\xbf" + vocabulary)
    text = "Once upon a time there was a girl."
    assert load_tokenizer(tmp_path).encode(text) == BPE.encode(text).ids


def test_openais_names_of_the_files(tmp_path):
    BPE.model.save(str(tmp_path))
    (tmp_path / "vocab.json").rename(tmp_path / "encoder.json")
    (tmp_path / "merges.txt").rename(tmp_path / "vocab.bpe")
    assert load_tokenizer(tmp_path).encode("Once") == BPE.encode("Once").ids


def test_added_tokens_that_the_vocabulary_has(saved):
    known = {"<|endoftext|>": 0, BPE.id_to_token(260): 260}
    folder = saved(added_tokens=known | {"florbix": FIRST})
    tokenizer = load_tokenizer(folder)
    assert tokenizer.encode("<|endoftext|>florbix") == [0, FIRST]


def test_merges_that_an_old_version_saved_with_spaces_in_tokens(tmp_path):
    content = json.loads(BPE.to_str())
    content["model"]["merges"][0] = "a b c"
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    words = "or save it again with another version of tokenizers"
    assert words in sentence(tmp_path)


def test_merges_as_pairs(tmp_path):
    content = json.loads(BPE.to_str())
    merges = content["model"]["merges"]
    other = [" ".join(p) if isinstance(p, list) else p.split() for p in merges]
    content["model"]["merges"] = other
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    assert load_tokenizer(tmp_path).encode("Once") == BPE.encode("Once").ids
