"""The server keeps texts on a pattern, and no pattern harms a neighbour."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from gpt2.decoding import automata
from gpt2.engine.cache import Cache
from gpt2.engine.kernel_cache import KernelCache
from solutions.solution_01 import GPT2Config
from tests.own.gpt2.serving.running import MODEL
from tests.own.packages import needed

PATH = "/v1/completions"
HOSTILE = "(a|b)*a(a|b){30}"
SMALL = GPT2Config(n_positions=256, n_embd=4, n_layer=1, n_head=1)


class TableEngine:
    """An engine whose logits depend only on the last token."""

    def __init__(self, vocabulary: int) -> None:
        self.table = np.random.default_rng(0).normal(0, 2, [64, vocabulary])

    def empty_cache(self, rows: int) -> Cache:
        """Returns an empty cache."""
        from max.driver import CPU

        return KernelCache(SMALL, rows, CPU())

    def extend(self, cache: Cache, ids: np.ndarray) -> np.ndarray:
        """Adds tokens ``[B, T]``; returns logits ``[B, V]``."""
        cache.lengths += ids.shape[1]
        return self.table[ids[:, -1] % len(self.table)].astype(np.float32)


@pytest.fixture(scope="module")
def client(checkpoint) -> Iterator[Any]:
    """A client of the application, without a model."""
    testing = needed("fastapi.testclient")
    needed("prometheus_client")
    from gpt2.serving.api import make_app
    from gpt2.serving.scheduler import Scheduler

    engine = TableEngine(checkpoint.config.vocab_size)
    scheduler = Scheduler(engine, checkpoint.tokenizer, batch=8, queue=400)
    app = make_app(checkpoint, scheduler)
    with testing.TestClient(app, raise_server_exceptions=False) as opened:
        yield opened
    scheduler.close()


def ask(client, pattern: str | None, **fields):
    """Sends a request for a text of a pattern; returns the response."""
    body = {"model": MODEL, "prompt": "Once", "seed": 1, "max_tokens": 24} | fields
    if pattern is not None:
        body["structured_outputs"] = {"regex": pattern}
    return client.post(PATH, json=body)


def choice(client, pattern: str | None, **fields):
    """Returns the first choice of a request that is answered."""
    response = ask(client, pattern, **fields)
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]


@pytest.mark.parametrize("pattern", ["yes|no", " [0-9]{2}", "é?ö", '"[^"]{3}"', "^a$"])
@pytest.mark.parametrize(
    "fields", [{}, {"temperature": 0}, {"top_k": 1}, {"logprobs": 2}]
)
def test_texts_match(client, pattern, fields):
    found = choice(client, pattern, **fields)
    assert re.fullmatch(pattern, found["text"])
    assert found["finish_reason"] == "stop"


def test_a_text_that_is_cut_off_has_the_reason_length(client):
    found = choice(client, "[a-z]{9,}", max_tokens=2)
    assert found["finish_reason"] == "length"
    assert re.fullmatch("[a-z]+", found["text"])


def test_each_sample_and_each_prompt_follows_the_pattern(client):
    fields = {"prompt": ["Once", "Tom", "She"], "n": 3, "temperature": 1.5}
    response = ask(client, "(a|b){4}(c|dd)?", **fields)
    texts = [one["text"] for one in response.json()["choices"]]
    assert all(re.fullmatch("(a|b){4}(c|dd)?", text) for text in texts)
    assert len(set(texts)) > 3


def test_a_stream_follows_the_pattern(client):
    response = ask(client, "[a-z]{5}", stream=True)
    text = "".join(re.findall(r'"text": "(.*?)"', response.text))
    assert re.fullmatch("[a-z]{5}", text)


def test_neighbours_are_what_they_are_alone(client):
    """Texts with a pattern, with another one and with none share the batches."""
    wanted = [None, "[a-z]{12}", "[0-9]{12}", "(x|é){8}", None, "yes|no"]
    alone = [choice(client, pattern, seed=i) for i, pattern in enumerate(wanted)]
    with ThreadPoolExecutor(len(wanted)) as pool:
        asked = [
            pool.submit(choice, client, pattern, seed=i)
            for _ in range(4)
            for i, pattern in enumerate(wanted)
        ]
        assert [each.result() for each in asked] == alone * 4


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"regex": "a("}, "missing ), unterminated subpattern"),
        ({"regex": r"[^\s\S]"}, "no text matches the pattern"),
        ({"regex": "a" * 1001}, "at most 1000 characters"),
        ({"regex": ".{0,100}"}, "over 512 states"),
        ({"regex": 5}, "valid string"),
        ({"json": {"type": "object"}}, "structured_outputs.json is not supported here"),
        ({"choice": ["a"]}, "structured_outputs.choice is not supported here"),
        ("a", "structured_outputs"),
    ],
)
def test_what_cannot_be_used_is_refused(client, value, says):
    response = ask(client, None, structured_outputs=value)
    assert response.status_code == 400
    assert says in response.json()["error"]["message"]
    assert response.json()["error"]["param"] == "structured_outputs"


@pytest.mark.parametrize("value", [None, {}, {"regex": None, "json": None}])
def test_values_that_ask_for_nothing(client, value):
    plain = choice(client, None)
    assert choice(client, None, structured_outputs=value) == plain


def test_a_hostile_pattern_stalls_nobody(client, monkeypatch):
    monkeypatch.setattr(automata, "SECONDS", 2)
    answers = []
    hostile = threading.Thread(target=lambda: answers.append(ask(client, HOSTILE)))
    hostile.start()
    time.sleep(0.2)
    assert choice(client, None)["finish_reason"]
    assert hostile.is_alive()  # the other text did not wait for it
    hostile.join()
    assert answers[0].status_code == 400
    assert "too large" in answers[0].json()["error"]["message"]


def test_too_many_waiting_patterns_are_refused(checkpoint, monkeypatch):
    needed("fastapi")
    from gpt2.serving import patterns
    from gpt2.serving.scheduler import QueueFull

    waiting = threading.Event()
    monkeypatch.setattr(patterns, "make_automaton", lambda _: waiting.wait() and 1 / 0)
    own = patterns.Patterns(checkpoint)

    async def crowd():
        asked = [own.constraint(f"a{i}") for i in range(patterns.MOST_WAITING + 3)]
        tasks = [asyncio.ensure_future(each) for each in asked]
        await asyncio.sleep(0.1)
        waiting.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    kinds = [type(each) for each in asyncio.run(crowd())]
    assert kinds.count(QueueFull) == 3
    assert kinds.count(ZeroDivisionError) == patterns.MOST_WAITING


def test_a_pattern_is_made_once(checkpoint, monkeypatch):
    needed("fastapi")
    from gpt2.serving import patterns

    made = []
    usual = patterns.make_automaton
    monkeypatch.setattr(
        patterns, "make_automaton", lambda text: made.append(text) or usual(text)
    )
    own = patterns.Patterns(checkpoint)

    async def twice():
        return [await own.constraint("yes|no") for _ in range(3)]

    assert len(set(map(id, asyncio.run(twice())))) == 1
    assert made == ["yes|no"]
