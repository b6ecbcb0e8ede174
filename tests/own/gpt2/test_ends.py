"""The tokens that end a text, in every way of generating."""

import json

import numpy as np
import pytest

from gpt2.checkpoint.loading import load_checkpoint
from gpt2.commands.chat import chat
from gpt2.commands.compare import compare
from gpt2.commands.diversity import diversity
from gpt2.decoding.beams import Continuations
from gpt2.decoding.generation import Strategy
from gpt2.serving.text import Job, texts
from solutions.encore_beam_search import beam_search
from tests.own.gpt2.samples import BPE, VOCAB, TableEngine, sentence, write_config

A, B, C = (BPE.token_to_id(letter) for letter in "abc")
END = BPE.token_to_id("<|endoftext|>")


def write(folder, file, **settings):
    """Writes a JSON file into the checkpoint."""
    (folder / f"{file}.json").write_text(json.dumps(settings))


def ends(folder):
    return load_checkpoint(str(folder)).tokenizer.end_ids


@pytest.mark.parametrize(
    ("config", "generation", "expected"),
    [
        (..., ..., (END,)),
        (B, ..., (B,)),
        ([B, C], ..., (B, C)),
        (B, C, (C,)),
        (B, [C, A], (C, A)),
        (B, None, (B,)),
        (None, None, (END,)),
        (-1, ..., (END,)),
        (50256, ..., (END,)),  # GPT-2's, in a config whose vocabulary is smaller
        (2**70, ..., (END,)),
        ([], ..., (END,)),
        ([B, 50256, -1], ..., (B,)),
        (B, 50256, (B,)),
    ],
)
def test_who_names_the_end(folder, config, generation, expected):
    write_config(folder, eos_token_id=config)
    if generation is not ...:
        write(folder, "generation_config", eos_token_id=generation)
    assert ends(folder) == expected


@pytest.mark.parametrize("value", ["50256", "</s>", 1.0, True, {}, [[1]], [None]])
@pytest.mark.parametrize("file", ["config", "generation_config"])
def test_an_end_that_is_no_id(folder, file, value):
    settings = json.loads((folder / "config.json").read_text())
    write(folder, file, **settings | {"eos_token_id": value})
    assert f"{file}.json has eos_token_id = {value!r}: it must be" in sentence(folder)


def test_the_tokenizers_files_name_the_end(folder):
    write(folder, "special_tokens_map", eos_token={"content": "b"})
    assert ends(folder) == (B,)
    write(folder, "tokenizer_config", eos_token="c")
    assert ends(folder) == (C,)
    write_config(folder, eos_token_id=A)
    assert ends(folder) == (A,)


def test_no_end_of_text_is_needed_if_another_end_is_named(folder):
    text = BPE.to_str().replace("<|endoftext|>", "</s>")
    (folder / "tokenizer.json").write_text(text)
    assert "not GPT-2's kind" in sentence(folder)
    write_config(folder, eos_token_id=BPE.token_to_id("<|endoftext|>"), bos_token_id=A)
    tokenizer = load_checkpoint(str(folder)).tokenizer
    assert tokenizer.end_ids == (END,)
    assert tokenizer.encode_prompt("") == [A]


def test_the_beginning_stands_for_an_empty_text(folder):
    write_config(folder, eos_token_id=B, bos_token_id=C)
    tokenizer = load_checkpoint(str(folder)).tokenizer
    assert tokenizer.encode_prompt("") == [C]
    write_config(folder, eos_token_id=B, bos_token_id=50256)
    tokenizer = load_checkpoint(str(folder)).tokenizer
    assert tokenizer.encode_prompt("") == [END]


# Every way of generating


@pytest.fixture
def ending(folder, fake):
    """Makes "b" and "c" ends of a model that would write "abcabc…"."""
    write_config(folder, eos_token_id=[C, B])
    return fake("abc", margin=60)


def report(run, *arguments, command=None):
    """Returns a command's JSON object."""
    more = {"command": command} if command else {}
    result = run("Once", "--max-new-tokens", "6", "--json", *arguments, **more)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    "options", [(), ("--greedy",), ("--beams", "2"), ("--show-steps",)]
)
def test_one_text(run, ending, options):
    written = report(run, *options)
    assert written["text"] == "Oncea"
    assert written["ids"][-1] in (B, C)
    assert len(written["ids"]) == len(BPE.encode("Once").ids) + 2


def test_text_on_the_terminal_has_no_end(run, ending):
    assert run("Once", "--greedy").stdout == "Oncea\n"


def test_samples(run, ending):
    written = report(run, "--num-samples", "3", "--temperature", "1")
    assert [one["text"] for one in written["samples"]] == 3 * ["Oncea"]


def test_compare(run, ending):
    ways = report(run, command=compare)["ways"]
    texts = {way["text"] for way in ways if not way["name"].startswith("4 beams")}
    assert all(text == "" or text.strip("abc") == "" for text in texts)
    assert ways[0]["text"] == "a"


def test_diversity(run, ending):
    rows = report(run, command=diversity)["temperatures"]
    assert rows[0]["distinct_1"] == 2 / (20 * 2)  # "a" and the end, in 20 texts


def test_chat(run, ending):
    result = run("--greedy", stdin="A\n", command=chat)
    assert result.stdout == "a\n"
    assert "The end. The next line begins a new story." in result.stderr


def test_server(folder):
    write_config(folder, eos_token_id=[C, B])
    tokenizer = load_checkpoint(str(folder)).tokenizer
    job = Job([[5]], Strategy(temperature=0), 0, max_tokens=9)
    (text,) = texts(job, tokenizer)
    taken = [text.take(np.eye(VOCAB)[token] * 50) for token in (A, B)]
    assert [piece.text for piece in taken] == ["a", ""]
    assert [piece.finish for piece in taken] == [None, "stop"]


def test_beams_count_all_ends_as_one():
    engine = TableEngine(7)
    logits = Continuations(engine, [2, 5, 6])(np.array([[3, 1]]))
    plain = engine.logits(np.array([[3, 1]]))
    chances, expected = np.exp(logits), np.exp(plain)
    np.testing.assert_allclose(chances[0, 2], expected[0, [2, 5, 6]].sum())
    np.testing.assert_allclose(chances[0, [5, 6]], 0)
    np.testing.assert_allclose(chances[0, [0, 1, 3]], expected[0, [0, 1, 3]])


def test_beams_end_at_any_end():
    engine = TableEngine(7)
    settings = dict(num_beams=3, max_new_tokens=9, eos_token_id=2)
    ids, _ = beam_search(Continuations(engine, [2, 5, 6]), [3], **settings)
    assert not {2, 5, 6} & set(ids[1:-1])
