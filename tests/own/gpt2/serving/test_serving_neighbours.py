"""Nobody's request touches a neighbour's, whatever its values are."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gpt2.decoding.generation import Strategy
from gpt2.serving import text as text_module
from gpt2.serving.scheduler import Scheduler
from gpt2.serving.text import Job
from tests.own.gpt2.serving.running import MODEL

NUMBERS = """
0 -0.0 1e-310 5e-324 1e-308 1e-300 1e-30 0.5 1 2 1e30 1e308 1e400 -1e400 -5 NaN
Infinity -Infinity true false "1" "" [] {} 9223372036854775807 9223372036854775808
"""
NUMERIC = """
temperature top_k top_p min_p repetition_penalty max_tokens n seed logprobs best_of
frequency_penalty presence_penalty echo stream
"""
OTHERS = {
    "prompt": ['"\\ud800"', '"\\u0000"', "[99999]", "[true]", "[[[1]]]", '["a", 1]'],
    "stop": ['"\\ud800"', '[""]', '["a", null]', "[[]]", "7"],
    "seed": ["1" * 5000],  # more digits than Python reads
    "model": ['"\\ud800"', '""', "1", "[" * 9000 + "]" * 9000],
    "logit_bias": ['{"5": -100}', '{"5": 1e400}', '{"x": 1}', '{"99999": 100}'],
    "stream_options": ['{"include_usage": 1}', "[]", '"a"'],
}
CASES = [(field, value) for field in NUMERIC.split() for value in NUMBERS.split()]
CASES += [(field, value) for field, values in OTHERS.items() for value in values]
FAULT = 666  # a seed


def body_of(field: str, value: str) -> str:
    """Returns a body in which a field has a value, written as in JSON."""
    fields = {"model": f'"{MODEL}"', "prompt": '"Tom had a red"', "max_tokens": "3"}
    return ", ".join(f'"{k}": {v}' for k, v in (fields | {field: value}).items())


def test_values_at_every_edge(api):
    """A request is answered or refused, and those beside it are as if alone."""
    plain = {"model": MODEL, "prompt": "Once upon a time", "seed": 3, "max_tokens": 20}

    def send(case):
        content = json.dumps(plain) if case is None else f"{{{body_of(*case)}}}"
        headers = {"Content-Type": "application/json"}
        return api.post("/v1/completions", content=content, headers=headers)

    (alone,) = send(None).json()["choices"]
    with ThreadPoolExecutor(8) as pool:
        neighbours = pool.map(send, [None] * (len(CASES) // 8))
        answers = list(pool.map(send, CASES))
    for answer in neighbours:
        assert answer.json()["choices"] == [alone]
    for case, answer in zip(CASES, answers, strict=True):
        assert answer.status_code in (200, 400, 404), (case, answer.text)
        assert "error" not in answer.text or answer.status_code != 200, case


@pytest.mark.parametrize("value", ["1e-310", "1e-200", "-0.0"])
def test_a_temperature_near_0_is_greedy(api, value):
    def written(value):
        fields = {"model": MODEL, "prompt": "Once", "temperature": float(value)}
        return api.post("/v1/completions", json=fields).json()["choices"]

    assert written(value) == written("0")


class Engine:
    """An engine with faults: a prompt that cannot be read, and a row of NaN."""

    def __init__(self, engine, unread, row):
        self.empty_cache = engine.empty_cache
        self._engine, self._unread, self._row = engine, unread, row

    def extend(self, cache, ids):
        if ids[0].tolist() == self._unread:
            raise MemoryError("too much")
        logits = self._engine.extend(cache, ids).copy()
        if len(ids) == 4 and self._row is not None:
            logits[self._row] = np.nan
        return logits


@pytest.mark.parametrize("fault", ["choice", "prompt", "numbers"])
def test_an_error_in_one_text_ends_that_one_alone(
    engine, checkpoint, monkeypatch, fault
):
    def choose(logits, ids, strategy, rng, *, look):
        if fault == "choice" and strategy.top_k == FAULT and len(ids) > 6:
            raise ValueError("injected")
        return chosen(logits, ids, strategy, rng, look=look)

    chosen = text_module.choose
    monkeypatch.setattr(text_module, "choose", choose)
    ids = checkpoint.tokenizer.encode("Once upon a time")
    good = Job([ids], Strategy(), 5, max_tokens=20)
    bad = Job([ids, ids[:2]], Strategy(top_k=FAULT), 5, max_tokens=20)

    async def collect(scheduler, job):
        return [p.text async for some in scheduler.stream(job, False) for p in some]

    async def together():
        flawed = Engine(engine, ids[:2] if fault == "prompt" else None, row)
        scheduler = Scheduler(flawed, checkpoint.tokenizer, batch=4, queue=4)
        jobs = [collect(scheduler, job) for job in (bad, good, good)]
        found = await asyncio.gather(*jobs, return_exceptions=True)
        found.append(await collect(scheduler, good))
        scheduler.close()
        return found

    row = 0 if fault == "numbers" else None
    error, *texts = asyncio.run(together())
    assert isinstance(error, Exception)
    assert len(texts[0][0]) > 20
    assert texts == [texts[0]] * 3


def test_a_lost_batch_leaves_those_who_wait(engine, checkpoint):
    """They were not in it."""

    class Breaking:
        broken = True
        empty_cache = staticmethod(engine.empty_cache)

        def extend(self, cache, ids):
            if ids.shape == (2, 1) and self.broken:
                self.broken = False
                raise MemoryError("too much")
            return engine.extend(cache, ids)

    async def collect(scheduler, samples):
        job = Job([[5]], Strategy(), 0, max_tokens=9, samples=samples)
        return [p async for some in scheduler.stream(job, False) for p in some]

    async def together():
        scheduler = Scheduler(Breaking(), checkpoint.tokenizer, batch=2, queue=4)
        jobs = [collect(scheduler, samples) for samples in (2, 1, 1)]
        found = await asyncio.gather(*jobs, return_exceptions=True)
        scheduler.close()
        return found

    error, *others = asyncio.run(together())
    assert isinstance(error, MemoryError)
    assert [pieces[-1].finish for pieces in others] == ["length", "length"]
