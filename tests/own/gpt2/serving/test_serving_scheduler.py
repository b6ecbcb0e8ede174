"""The batch and the scheduler, without a network: each text is as if alone."""

import asyncio
import time
from contextlib import aclosing

import numpy as np
import pytest

from gpt2.decoding.generation import Strategy, generate
from gpt2.engine.cache import gather
from gpt2.serving.scheduler import QueueFull, Scheduler
from gpt2.serving.text import Job

GREEDY = Strategy(temperature=0)
PROMPTS = ("Once upon a time", "One day", "Tom had a red ball. He", "She", "Lily")


@pytest.fixture
def scheduler(engine, checkpoint):
    scheduler = Scheduler(engine, checkpoint.tokenizer, batch=4, queue=8)
    yield scheduler
    scheduler.close()


@pytest.fixture
def jobs(checkpoint):
    """Jobs of different lengths, some of them greedy."""
    ids = [checkpoint.tokenizer.encode(prompt) for prompt in PROMPTS]
    filtered = Strategy(temperature=0.8, top_k=40, top_p=0.9)
    strategies = [GREEDY, filtered, Strategy(repetition_penalty=1.3)]
    return [
        Job([ids[i % 5]], strategies[i % 3], seed=i, max_tokens=5 + 7 * i)
        for i in range(10)
    ]


async def collect(scheduler, job, live=False):
    """Returns all pieces of a job."""
    return [piece async for some in scheduler.stream(job, live) for piece in some]


def alone(engine, checkpoint, job):
    """Returns the text that the command would write."""
    (rng,) = np.random.default_rng(job.seed).spawn(1)
    limits = dict(max_new_tokens=job.max_tokens)
    limits["end_ids"] = checkpoint.tokenizer.end_ids
    steps = generate(engine, job.prompts[0], job.strategy, rng, **limits)
    return checkpoint.tokenizer.decode([step.id for step in steps])


@pytest.mark.parametrize("live", [False, True])
def test_every_text_is_what_it_would_be_alone(
    scheduler, engine, checkpoint, jobs, live
):
    async def together():
        async def later(job):
            await asyncio.sleep(0.004 * job.seed)
            return await collect(scheduler, job, live)

        return await asyncio.gather(*map(later, jobs))

    for job, pieces in zip(jobs, asyncio.run(together()), strict=True):
        text = "".join(piece.text for piece in pieces)
        assert pieces[-1].finish
        assert text == alone(engine, checkpoint, job)


@pytest.mark.parametrize("rows", [2, 4, 8])
def test_neighbours_change_logits_by_rounding_alone(engine, rows):
    """The page on serving says so: a token differs only at a near tie."""

    def read(seed):
        rng = np.random.default_rng(seed)
        ids = rng.integers(0, engine.config.vocab_size, [1, 3 + 29 * seed % 200])
        cache = engine.empty_cache(1)
        engine.extend(cache, ids[:, :-1])
        return cache, ids[:, -1]

    def logits(parts):
        cache = gather([(own, [0]) for own, _ in parts])
        return engine.extend(cache, np.array([last for _, last in parts]))

    parts = [read(seed) for seed in range(rows)]
    alone = np.concatenate([logits([part]) for part in parts])
    np.testing.assert_allclose(logits(parts), alone, rtol=0, atol=1e-4)


def test_texts_are_written_together(engine, checkpoint, jobs):
    """Four texts take one run of the model for each token, not four."""
    calls = []

    class Counting:
        empty_cache = staticmethod(engine.empty_cache)

        @staticmethod
        def extend(cache, ids):
            calls.append(ids.shape)
            return engine.extend(cache, ids)

    scheduler = Scheduler(Counting, checkpoint.tokenizer, batch=4, queue=0)
    job = Job(jobs[0].prompts, GREEDY, 0, max_tokens=20, samples=4)
    pieces = asyncio.run(collect(scheduler, job))
    scheduler.close()
    assert [piece.index for piece in pieces] == [0, 1, 2, 3]
    assert calls == [(1, len(job.prompts[0]))] + [(4, 1)] * 19


def test_a_stream_comes_in_pieces(scheduler, jobs):
    pieces = asyncio.run(collect(scheduler, jobs[9], live=True))
    assert len(pieces) > 2
    assert sum(piece.tokens for piece in pieces) == jobs[9].max_tokens


def test_who_stops_listening_makes_room(scheduler, jobs):
    job = Job(jobs[0].prompts, GREEDY, 0, max_tokens=200, samples=12)

    async def listen_once():
        async with aclosing(scheduler.stream(job)) as stream:
            await anext(stream)

    asyncio.run(listen_once())
    until = time.monotonic() + 5
    while scheduler.load and time.monotonic() < until:
        time.sleep(0.01)
    assert scheduler.load == 0


def test_a_full_queue_refuses_at_once(scheduler, jobs):
    big = Job(jobs[0].prompts, GREEDY, 0, max_tokens=100, samples=12)

    async def fill():
        async with aclosing(scheduler.stream(big)) as stream:
            await anext(stream)
            with pytest.raises(QueueFull):
                await collect(scheduler, jobs[0])
            return [pieces async for pieces in stream]

    assert asyncio.run(fill())[-1][-1].finish == "length"


def test_a_broken_batch_tells_everyone_and_goes_on(engine, checkpoint, jobs):
    class Breaking:
        broken = True
        empty_cache = staticmethod(engine.empty_cache)

        def extend(self, cache, ids):
            if len(ids) == 2 and self.broken:
                self.broken = False
                raise MemoryError("too much")
            return engine.extend(cache, ids)

    scheduler = Scheduler(Breaking(), checkpoint.tokenizer, batch=4, queue=4)

    async def together():
        job = Job(jobs[0].prompts, GREEDY, 0, max_tokens=9, samples=2)
        both = asyncio.gather(collect(scheduler, job), return_exceptions=True)
        return [*(await both), await collect(scheduler, jobs[2])]

    error, pieces = asyncio.run(together())
    scheduler.close()
    assert isinstance(error, MemoryError)
    assert pieces[-1].text == alone(engine, checkpoint, jobs[2])
