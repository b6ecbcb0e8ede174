"""The whole server on loopback, tested with OpenAI's client."""

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from tests.own.gpt2.serving.running import BATCH, MODEL, QUEUE
from tests.own.packages import needed

openai = needed("openai")
needed("ray")

PROMPTS = ("Once upon a time", "Tom had a red ball.", "One day")


@pytest.fixture(scope="module")
def client(server):
    with openai.OpenAI(base_url=server.address, api_key="-", max_retries=0) as client:
        yield client


def ask(client, prompt="Once upon a time", **settings):
    """Asks for a completion, greedy by default."""
    settings = {"model": MODEL, "max_tokens": 12, "temperature": 0} | settings
    return client.completions.create(prompt=prompt, **settings)


def streamed(client, prompt, **settings):
    """Returns the text of a stream, joined from all events."""
    events = ask(client, prompt, stream=True, **settings)
    return "".join(event.choices[0].text for event in events)


def post(server, body, path="/completions"):
    """Sends a raw body; returns the status, the headers and the JSON object."""
    headers = {"Content-Type": "application/json"}
    try:
        with urlopen(Request(server.address + path, body, headers)) as answer:
            return answer.status, answer.headers, json.load(answer)
    except HTTPError as error:
        return error.code, error.headers, json.load(error)


def error_of(server, **fields):
    """Returns the status and the error of a request; None removes a field."""
    fields = {"model": MODEL, "prompt": "Once"} | fields
    fields = {name: value for name, value in fields.items() if value is not ...}
    status, _, content = post(server, json.dumps(fields).encode())
    assert set(content["error"]) == {"message", "type", "param", "code"}
    return status, content["error"]


def test_the_environment_of_another_cluster_changes_nothing(server, client):
    """The fixture has set it: Ray's variables, proxies, a long path."""
    from tests.own.gpt2.serving.conftest import HOSTILE

    environment = psutil.Process(server.process.pid).environ()
    assert environment.items() >= HOSTILE.items()
    assert len(environment["TMPDIR"]) > 90
    assert ask(client).choices


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_client_gets_what_the_command_writes(client, command, prompt):
    expected = command(prompt, 40)
    answer = ask(client, prompt, max_tokens=40)
    assert answer.choices[0].text == expected
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 40
    assert streamed(client, prompt, max_tokens=40) == expected


def test_many_clients_at_once_get_the_same(client, command):
    tasks = [(PROMPTS[i % 3], 20 + 9 * i) for i in range(BATCH + QUEUE)]

    def both(task):
        call = streamed if task[1] % 2 else lambda *a, **k: ask(*a, **k).choices[0].text
        return call(client, task[0], max_tokens=task[1])

    with ThreadPoolExecutor(len(tasks)) as pool:
        texts = list(pool.map(both, tasks))
    assert texts == [command(*task) for task in tasks]


def test_drawn_texts_are_the_commands_too(client, command):
    text = ask(client, temperature=0.9, top_p=0.8, seed=7).choices[0].text
    options = ("--temperature", "0.9", "--top-p", "0.8", "--seed", "7")
    assert text == command(PROMPTS[0], 12, *options)


def test_additional_fields(client, command):
    extra = {"top_k": 5, "min_p": 0.1, "repetition_penalty": 1.3}
    text = ask(client, temperature=0.9, seed=7, extra_body=extra).choices[0].text
    options = ("--temperature", "0.9", "--top-p", "1", "--seed", "7", "--top-k", "5")
    options += ("--min-p", "0.1", "--repetition-penalty", "1.3")
    assert text == command(PROMPTS[0], 12, *options)


def test_several_prompts_and_samples(client, command):
    answer = ask(client, list(PROMPTS), n=2)
    assert [choice.index for choice in answer.choices] == list(range(6))
    texts = [choice.text for choice in answer.choices]
    assert texts == [command(prompt, 12) for prompt in PROMPTS for _ in range(2)]
    drawn = ask(client, n=4, temperature=1, seed=1).choices
    assert len({choice.text for choice in drawn}) > 1


def test_token_ids_as_a_prompt(client, checkpoint, command):
    ids = checkpoint.tokenizer.encode(PROMPTS[0])
    for prompt in (ids, [ids]):
        assert ask(client, prompt).choices[0].text == command(PROMPTS[0], 12)


def test_stop_and_echo(client, command):
    text = command(PROMPTS[0], 40)
    word = text.split()[5]
    choice = ask(client, max_tokens=40, stop=word, echo=True).choices[0]
    assert choice.text == PROMPTS[0] + text.partition(word)[0]
    assert choice.finish_reason == "stop"
    assert ask(client, max_tokens=0, echo=True).choices[0].text == PROMPTS[0]


def test_logprobs(client, command):
    answer = ask(client, logprobs=3, max_tokens=5)
    found = answer.choices[0].logprobs
    assert "".join(found.tokens) == command(PROMPTS[0], 5)
    for token, value, best in zip(
        found.tokens, found.token_logprobs, found.top_logprobs, strict=True
    ):
        assert len(best) == 3
        assert max(best, key=best.get) == token
        assert best[token] == value <= 0


def test_usage_of_a_stream(client):
    options = {"include_usage": True}
    *events, last = ask(client, stream=True, stream_options=options)
    assert all(event.usage is None for event in events)
    assert (last.choices, last.usage.completion_tokens) == ([], 12)


def test_models(client):
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-5")


def test_metrics_count(server, client):
    def counted():
        address = server.address.removesuffix("/v1") + "/metrics"
        with urlopen(address) as answer:
            lines = answer.read().decode().splitlines()
        return {
            k: float(v)
            for k, _, v in (line.rpartition(" ") for line in lines)
            if not k.startswith("#")
        }

    before = counted().get("gpt2_generated_tokens_total", 0)
    ask(client, max_tokens=9)
    assert counted()["gpt2_generated_tokens_total"] == before + 9
    assert counted()["gpt2_active_requests"] == 0


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"prompt": "a " * 300}, 400, "prompt"),
        ({"max_tokens": 256}, 400, "max_tokens"),
        ({"max_tokens": -1}, 400, "max_tokens"),
        ({"max_tokens": "9"}, 400, "max_tokens"),
        ({"model": "gpt-5"}, 404, "model"),
        ({"model": ...}, 400, "model"),
        ({"prompt": ...}, 400, "prompt"),
        ({"prompt": []}, 400, "prompt"),
        ({"prompt": [1, "a"]}, 400, "prompt"),
        ({"prompt": [99999]}, 400, "prompt"),
        ({"prompt": [-1]}, 400, "prompt"),
        ({"prompt": {}}, 400, "prompt"),
        ({"temperature": -0.1}, 400, "temperature"),
        ({"temperature": float("nan")}, 400, "temperature"),
        ({"temperature": float("inf")}, 400, "temperature"),
        ({"temperature": True}, 400, "temperature"),
        ({"top_p": 0}, 400, "top_p"),
        ({"top_p": 1.1}, 400, "top_p"),
        ({"top_k": -2}, 400, "top_k"),
        ({"top_k": 1.5}, 400, "top_k"),
        ({"min_p": 2}, 400, "min_p"),
        ({"repetition_penalty": 0}, 400, "repetition_penalty"),
        ({"n": 0}, 400, "n"),
        ({"n": 65}, 400, "n"),
        ({"n": 64, "prompt": ["a", "b"]}, 400, "n"),
        ({"seed": -2}, 400, "seed"),
        ({"stop": [""]}, 400, "stop"),
        ({"stop": ["a", "b", "c", "d", "e"]}, 400, "stop"),
        ({"logprobs": 6}, 400, "logprobs"),
        ({"logprobs": 1, "echo": True}, 400, "logprobs"),
        ({"stream_options": {"include_usage": True}}, 400, "stream_options"),
        ({"logit_bias": {"5": 1}}, 400, "logit_bias"),
        ({"best_of": 3}, 400, "best_of"),
        ({"suffix": "the end"}, 400, "suffix"),
        ({"frequency_penalty": 0.5}, 400, "frequency_penalty"),
        ({"colour": "red"}, 400, "colour"),
    ],
)
def test_bad_input(server, fields, status, param):
    found, error = error_of(server, **fields)
    assert (found, error["param"]) == (status, param)
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"3", b"null", b'{"model"}', b"\xff"]
)
def test_a_body_that_is_no_request(server, body):
    status, _, content = post(server, body)
    assert (status, content["error"]["type"]) == (400, "invalid_request_error")


def test_a_body_over_a_megabyte(server):
    status, _, content = post(server, b" " * 1_000_001)
    assert (status, content["error"]["type"]) == (413, "invalid_request_error")


def test_what_is_not_there(server):
    assert post(server, b"{}", "/chat/completions")[0] == 404
    assert post(server, b"{}", "/models")[0] == 405


def test_neutral_values_of_other_fields_are_fine(client):
    neutral = dict(best_of=1, frequency_penalty=0, presence_penalty=0, suffix="")
    assert ask(client, **neutral, logit_bias={}, user="me").choices[0].text


def test_a_full_queue_answers_at_once_and_a_leaver_makes_room(server, client):
    long = dict(max_tokens=240, n=BATCH + QUEUE)
    with ask(client, stream=True, **long) as stream:
        next(iter(stream))
        with pytest.raises(openai.RateLimitError) as refused:
            ask(client)
        assert refused.value.response.headers["Retry-After"] == "1"
    until = time.monotonic() + 2  # writing the whole text would take longer
    while True:
        try:
            ask(client, max_tokens=1)
            return
        except openai.RateLimitError:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_client_that_hangs_up_while_it_waits(server, client):
    body = dict(model=MODEL, prompt="Once", max_tokens=240, n=BATCH + QUEUE)
    content = json.dumps(body).encode()
    host, port = server.address.split("/")[2].split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /v1/completions HTTP/1.1\r\nHost: {host}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        connection.sendall(head.encode() + b"\r\n" + content)
        time.sleep(0.2)
    until = time.monotonic() + 2
    while post(server, json.dumps(body | {"max_tokens": 1}).encode())[0] == 429:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_killed_replica_is_replaced(server, client):
    """The text in progress ends with an error; later requests succeed."""
    stream = iter(ask(client, stream=True, max_tokens=240))
    next(stream)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, client, max_tokens=240)
        time.sleep(0.2)
        os.kill(server.replica(), signal.SIGKILL)
        with pytest.raises(openai.APIError, match="could not be finished"):
            list(stream)
        with pytest.raises(openai.InternalServerError) as failed:
            waiting.result(20)
    assert failed.value.status_code == 503
    until = time.monotonic() + 30
    while True:
        try:
            assert len(ask(client).choices[0].text) > 0
            return
        except openai.InternalServerError:
            assert time.monotonic() < until
            time.sleep(0.2)


def test_ctrl_c_ends_it_and_leaves_nothing(server):
    """This test comes last, because it stops the server."""
    family = server.family()
    assert len(family) > 3
    assert server.end(signal.SIGINT) == 0
    for pid in family:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
