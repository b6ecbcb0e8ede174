"""The tokenizer: both file formats, no loss, no incomplete characters."""

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as Library
from tokenizers import decoders, models

from gpt2.checkpoint.errors import CheckpointError
from gpt2.checkpoint.tokenizer import StreamingDecoder, load_tokenizer, marked
from tests.own.gpt2.samples import BPE, VOCAB

GPT2 = Path(__file__).parents[2] / "golden" / "gpt2"
GPT2_TEXTS = json.loads((GPT2 / "texts.json").read_text())
TEXTS = [
    "",
    " ",
    "Once upon a time,\n\ttwo",
    "naïve café – 日本語 🤖 \x00\x7f",
    "a  b   c",
]


@pytest.fixture(params=["tokenizer.json", "vocab.json and merges.txt"])
def tokenizer(request, tmp_path):
    """Returns the same vocabulary, read from each format."""
    if request.param == "tokenizer.json":
        BPE.save(str(tmp_path / "tokenizer.json"))
    else:
        BPE.model.save(str(tmp_path))
    return load_tokenizer(tmp_path)


@pytest.fixture(scope="module")
def gpt2():
    """Returns a part of GPT-2's vocabulary, with the original ids."""
    return load_tokenizer(GPT2)


@pytest.mark.parametrize("text", TEXTS)
def test_round_trip(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert ids == BPE.encode(text).ids


def test_end_of_text_in_a_text_is_one_token(tokenizer):
    end = tokenizer.end_of_text_id
    ids = tokenizer.encode("one<|endoftext|>two")
    assert ids == [*tokenizer.encode("one"), end, *tokenizer.encode("two")]
    assert tokenizer.decode(ids) == "onetwo"
    assert tokenizer.token(end) == "<|endoftext|>"
    assert end not in tokenizer.encode("<|endoftext>")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" dog", "·dog"),
        ("dog. \n", "dog.·↵"),
        ("a·b", r"a\xb7b"),
        ("↵", r"\u21b5"),
        ("\t\u00a0", r"\t\xa0"),
        ("é'\"", "é'\""),
    ],
)
def test_marks_of_blanks_stand_for_nothing_else(text, shown):
    assert marked(text) == shown


def test_size(tokenizer):
    assert tokenizer.size == VOCAB


def test_training_settings_in_the_file_change_nothing(tmp_path):
    bpe = Library.from_str(BPE.to_str())
    bpe.enable_truncation(3)
    bpe.enable_padding(length=9)
    bpe.save(str(tmp_path / "tokenizer.json"))
    text = "Once upon a time there was a girl."
    assert load_tokenizer(tmp_path).encode(text) == BPE.encode(text).ids


# Streaming


def stream(tokenizer, ids):
    """Returns all pieces of a decoder; the last piece comes from ``finish``."""
    decoder = StreamingDecoder(tokenizer)
    return [*(decoder.feed(token) for token in ids), decoder.finish()]


@pytest.mark.parametrize("text", TEXTS)
def test_stream_has_only_whole_characters(tokenizer, text):
    pieces = stream(tokenizer, tokenizer.encode(text))
    assert "".join(pieces) == text
    assert "\N{REPLACEMENT CHARACTER}" not in "".join(pieces)
    assert pieces[-1] == ""


def test_character_comes_with_its_last_token(tokenizer):
    ids = tokenizer.encode("é!")
    assert len(ids) == 3
    assert stream(tokenizer, ids) == ["", "é", "!", ""]


def test_broken_character_comes_at_the_end(tokenizer):
    ids = tokenizer.encode("a日")[:-1]
    assert stream(tokenizer, ids) == ["a", "", "", "\N{REPLACEMENT CHARACTER}"]


def test_stream_equals_decode_for_any_bytes(tokenizer):
    rng = np.random.default_rng(0)
    for _ in range(200):
        ids = rng.integers(0, VOCAB, size=12).tolist()
        assert "".join(stream(tokenizer, ids)) == tokenizer.decode(ids)


def test_decoder_can_go_on_after_the_end(tokenizer):
    decoder = StreamingDecoder(tokenizer)
    first, second = tokenizer.encode("é")
    assert decoder.feed(first) + decoder.finish() == "\N{REPLACEMENT CHARACTER}"
    assert decoder.feed(first) + decoder.feed(second) == "é"


# GPT-2's own vocabulary, compared with OpenAI's tokenizer


def test_known_ids_of_gpt2(gpt2):
    assert gpt2.encode("Hello world") == [15496, 995]
    assert gpt2.end_of_text_id == 50256
    assert gpt2.size == 50257


@pytest.mark.parametrize("case", GPT2_TEXTS, ids=lambda case: repr(case["text"][:9]))
def test_hard_text_has_the_ids_of_gpt2(gpt2, case):
    assert gpt2.encode(case["text"]) == case["ids"]


@pytest.mark.parametrize("case", GPT2_TEXTS, ids=lambda case: repr(case["text"][:9]))
def test_ids_of_gpt2_give_the_text_back(gpt2, case):
    text = case["text"].replace("<|endoftext|>", "")
    assert gpt2.decode(case["ids"]) == text
    assert "".join(stream(gpt2, case["ids"])) == text


def test_gpt2_splits_an_emoji_and_streams_it_whole(gpt2):
    ids = gpt2.encode(" 🤖 says ご")
    pieces = stream(gpt2, ids)
    assert pieces.count("") > 2
    assert "\N{REPLACEMENT CHARACTER}" not in "".join(pieces)
    assert "".join(pieces) == " 🤖 says ご"


# Bad files


def sentence(folder):
    """Returns the message for a tokenizer that cannot be used."""
    with pytest.raises(CheckpointError) as caught:
        load_tokenizer(folder)
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_no_files(tmp_path):
    (tmp_path / "vocab.json").write_text("{}")
    assert "vocab.json and merges.txt" in sentence(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "{}", json.dumps({"model": {}})])
def test_damaged_tokenizer_json(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    assert "cannot be read" in sentence(tmp_path)


def test_damaged_merges(tmp_path):
    BPE.model.save(str(tmp_path))
    (tmp_path / "merges.txt").write_text("not one of the vocabulary\n")
    assert "cannot be read" in sentence(tmp_path)


def test_another_kind_of_tokenizer(tmp_path):
    words = Library(models.WordLevel({"<|endoftext|>": 0, "a": 1}, unk_token="a"))
    words.decoder = decoders.WordPiece()
    words.save(str(tmp_path / "tokenizer.json"))
    assert "not GPT-2's kind" in sentence(tmp_path)


def test_no_end_of_text(tmp_path):
    text = BPE.to_str().replace("<|endoftext|>", "<|end|>")
    (tmp_path / "tokenizer.json").write_text(text)
    assert "with the token <|endoftext|>" in sentence(tmp_path)
