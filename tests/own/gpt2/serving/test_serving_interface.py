"""What clients send besides, and what they find in answers and errors."""

import gzip
import json

import numpy as np
import pytest

from gpt2.serving.neutral import EMPTY, LACKING, LACKING_IN_STREAMS, OWN
from tests.own.gpt2.serving.running import MODEL

PATH = "/v1/completions"
PLAIN = {"model": MODEL, "prompt": "Once upon a time", "seed": 1, "max_tokens": 8}
JSON = {"Content-Type": "application/json"}


def choices(api, **fields):
    """Returns the texts and logprobs of a request."""
    answer = api.post(PATH, json=PLAIN | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"]


def refused(api, **fields):
    """Returns the error of a request that is refused."""
    answer = api.post(PATH, json=PLAIN | fields)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]


@pytest.fixture(scope="module")
def plain(api):
    """The texts without any other field."""
    return choices(api)


OWN_FIELDS = """
temperature top_k n best_of stop echo stream user logprobs stream_options top_p min_p
repetition_penalty seed max_tokens
"""
NEUTRAL = LACKING | {name: [None] for name in OWN_FIELDS.split()}
NEUTRAL |= {"logprobs": [None, False], "user": [None, "", "me"], "stop": [None, [], ""]}
NEUTRAL |= {"top_k": [None, -1]}
NEUTRAL |= {"stream_options": [None, {}], "seed": [1], "max_tokens": [8]}
NEUTRAL |= {"structured_outputs": [None, {}, {"regex": None}]}
NEUTRAL |= {"a_field_of_the_future": EMPTY}


@pytest.mark.parametrize("place", range(max(map(len, NEUTRAL.values()))))
def test_values_that_ask_for_nothing(api, plain, place):
    """All fields at once, each with one of its values."""
    fields = {name: values[place % len(values)] for name, values in NEUTRAL.items()}
    assert choices(api, **fields) == plain


@pytest.mark.parametrize("value", [None, False, "", {}])
def test_options_of_a_stream_that_ask_for_nothing(api, plain, value):
    options = dict.fromkeys(LACKING_IN_STREAMS, value)
    options["include_usage"] = value if value in (None, False) else None
    assert choices(api, stream_options=options) == plain
    answer = api.post(PATH, json=PLAIN | {"stream": True, "stream_options": options})
    assert "[DONE]" in answer.text
    assert "usage" not in answer.text


def test_the_seed_minus_one_is_a_new_one(api):
    assert OWN["seed"] == [-1]
    texts = {choices(api, seed=-1, max_tokens=30)[0]["text"] for _ in range(4)}
    assert len(texts) > 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frequency_penalty", 0.1),
        ("logit_bias", {"5": 1}),
        ("best_of", 2),
        ("suffix", "."),
        ("top_logprobs", 1),
        ("logprobs", True),
        ("tools", [{}]),
        ("response_format", {"type": "json_object"}),
        ("tool_choice", "required"),
        ("stream_options", {"include_obfuscation": True}),
        ("skip_special_tokens", False),
        ("do_sample", False),  # would be greedy
        ("colour", 0),
        ("colour", False),
        ("frequency_penalty", True),
        ("seed", -2),
    ],
)
def test_what_asks_for_something_is_refused(api, name, value):
    error = refused(api, **{name: value})
    assert error["param"] == name
    assert name in error["message"]


def test_a_field_inside_another_is_named(api):
    message = refused(api, stream_options={"colour": 1})["message"]
    assert "stream_options.colour" in message


def test_as_many_candidates_as_texts(api):
    assert choices(api, n=3, best_of=3) == choices(api, n=3)
    assert refused(api, n=2, best_of=3)["code"] == "unsupported"


@pytest.mark.parametrize("wanted", [True, False])
def test_usage_is_null_until_the_end_of_a_stream(api, wanted):
    body = PLAIN | {"stream": True, "stream_options": {"include_usage": wanted}}
    lines = api.post(PATH, json=body).text.split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    *earlier, last = events
    if wanted:
        assert all(event["usage"] is None for event in earlier)
        assert last["usage"]["completion_tokens"] == 8
    else:
        assert all("usage" not in event for event in events)


@pytest.mark.parametrize("count", [0, 5])
def test_logprobs_have_the_drawn_token(api, count):
    """It comes besides the likeliest ones, so there may be one more."""
    found = choices(api, logprobs=count, temperature=3, max_tokens=60)[0]["logprobs"]
    steps = list(zip(*(found[name] for name in found), strict=True))
    assert len(steps) > 30
    drawn = [name not in list(top)[:count] for name, _, top, _ in steps]
    assert any(drawn)
    for (name, logprob, top, _), rare in zip(steps, drawn, strict=True):
        assert top[name] == logprob
        assert len(top) == count + rare


class Names:
    """A scheduler that gives each text some tokens, all equally likely."""

    def __init__(self, ids, best):
        self._ids, self._best = ids, best

    async def stream(self, job, live):
        """Yields one piece with all tokens."""
        from gpt2.decoding.generation import Step
        from gpt2.serving.text import Piece

        best = [(token, 0.1) for token in self._best]
        steps = [(Step(token, 0.1, best), "") for token in self._ids]
        yield [Piece(0, "", len(steps), steps, "length")]


def test_different_tokens_have_different_names(checkpoint):
    """Bytes that are no characters look equal as text, and so do unknown tokens."""
    from fastapi.testclient import TestClient

    from gpt2.serving.api import make_app

    tokenizer = checkpoint.tokenizer
    euro = tokenizer.encode("€")  # three bytes, a token each
    assert len(euro) == 3
    unknown = [tokenizer.size, tokenizer.size + 1]
    best = [*euro, *unknown]
    api = TestClient(make_app(checkpoint, Names(best, best)))
    found = choices(api, logprobs=5)[0]["logprobs"]
    parts = ["bytes:\\xe2", "bytes:\\x82", "bytes:\\xac"]
    assert found["tokens"] == parts + [f"token_id:{token}" for token in unknown]
    assert all(list(top) == found["tokens"] for top in found["top_logprobs"])


def test_every_token_has_its_own_name(checkpoint):
    names = [checkpoint.tokenizer.name(i) for i in range(checkpoint.tokenizer.size)]
    assert len(set(names)) == len(names)
    whole = [i for i, name in enumerate(names) if not name.startswith("bytes:")]
    assert [names[i] for i in whole] == [checkpoint.tokenizer.token(i) for i in whole]
    assert len(names) - len(whole) >= 128  # the bytes outside ASCII, at least


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({}, "Content-Type must be application/json"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "x-www-form-url"),
        ({"Content-Type": "text/plain; charset=utf-8"}, "text/plain"),
        (JSON | {"Content-Encoding": "gzip"}, "Content-Encoding gzip"),
    ],
)
def test_a_header_that_is_wrong_is_named(api, headers, named):
    body = json.dumps(PLAIN).encode()
    body = gzip.compress(body) if "Content-Encoding" in headers else body
    answer = api.post(PATH, content=body, headers=headers)
    assert answer.status_code == 415
    assert named in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_ways_to_write_json(api, plain, kind, encoding):
    body = json.dumps(PLAIN, ensure_ascii=False).encode(encoding)
    answer = api.post(PATH, content=body, headers={"Content-Type": kind})
    assert answer.json()["choices"] == plain


@pytest.mark.parametrize("body", [b"\xff\xff", b"[" * 9000, b"1" * 5000, b"{"])
def test_a_body_that_is_no_json(api, body):
    answer = api.post(PATH, content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "the body is not valid JSON"


@pytest.mark.parametrize("path", ["/", "/completions", "/v1", "/v1/chat/completions"])
def test_an_unknown_path_names_those_that_are_there(api, path):
    answer = api.post(path, json=PLAIN)
    assert answer.status_code == 404
    assert "/v1/completions" in answer.json()["error"]["message"]


def test_a_slash_too_many_changes_nothing(api, plain):
    for path in (f"{PATH}/", f"/{PATH}", "/v1//completions"):
        address = f"http://testserver{path}"
        answer = api.post(address, json=PLAIN, follow_redirects=False)
        assert answer.json()["choices"] == plain
    assert api.get("/v1/models/").json()["data"][0]["id"] == MODEL
    assert api.get(f"/v1/models/{MODEL}/").json()["id"] == MODEL


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/metrics"])
def test_head_is_get_without_a_body(api, path):
    answer = api.head(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == api.get(path).headers["Content-Type"]


@pytest.mark.parametrize("seed", [2**63 - 1, 2**63, 2**64, 10**400])
def test_a_seed_may_be_any_number(api, seed):
    assert choices(api, seed=seed) == choices(api, seed=seed)


def test_the_description_is_true(api):
    """What is answered has the described form, and what is described is accepted."""
    described = api.get("/openapi.json").json()
    models = {"/v1/models", "/v1/models/{name}"}
    assert set(described["paths"]) == {"/health", "/metrics", PATH} | models
    request = described["components"]["schemas"]["CompletionRequest"]
    assert request["required"] == ["model", "prompt"]
    for name, field in request["properties"].items():
        for value in field.get("enum", ()):
            assert api.post(
                PATH, json=PLAIN | {"max_tokens": 0, name: value}
            ).is_success
    for value in request["additionalProperties"]["enum"]:
        assert choices(api, any_other_field=value)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "CompletionBody"),
        ({"logprobs": 3, "n": 2}, "CompletionBody"),
        ({"echo": True, "max_tokens": 0}, "CompletionBody"),
        ({"model": "x"}, "ErrorBody"),
        ({"n": 65}, "ErrorBody"),
        ({"max_tokens": 9999}, "ErrorBody"),
    ],
)
def test_an_answer_has_the_described_form(api, fields, name):
    from pydantic import TypeAdapter

    from gpt2.serving import documents

    adapter = TypeAdapter(getattr(documents, name))
    body = api.post(PATH, json=PLAIN | fields).json()
    assert adapter.validate_python(body, strict=True) == body


def test_a_wrong_method_names_the_right_one(api):
    answer = api.put(PATH, json=PLAIN)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("field", ["prompt", "stop", "user", "model", "\ud800"])
def test_half_a_character_is_refused(api, field):
    body = json.dumps(PLAIN | {field: "\ud800"})
    answer = api.post(PATH, content=body, headers=JSON)
    assert answer.status_code == 400
    assert "surrogate" in answer.json()["error"]["message"]


def test_a_model_that_computes_no_numbers(checkpoint):
    """The request fails, and the next one is answered, too."""
    from fastapi.testclient import TestClient

    from gpt2.decoding.generation import Strategy, choose
    from gpt2.serving.api import make_app

    class Broken:
        async def stream(self, job, live):
            choose(np.full(9, np.nan), [1], Strategy(), np.random.default_rng())
            yield []

    api = TestClient(make_app(checkpoint, Broken()))
    for _ in range(2):
        answer = api.post(PATH, json=PLAIN)
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "generation_failed"
