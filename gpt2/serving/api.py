"""The HTTP interface; a ``Backend`` writes the texts."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing, suppress
from dataclasses import replace
from time import perf_counter
from typing import Protocol

from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)

from gpt2.checkpoint.loading import Checkpoint
from gpt2.serving.api_errors import ApiError, as_api_error, handle_errors
from gpt2.serving.documents import (
    COMPLETION,
    ERRORS,
    Card,
    Cards,
    CompletionBody,
    ErrorBody,
    Health,
)
from gpt2.serving.guards import Guards
from gpt2.serving.jobs import check_model, job_of
from gpt2.serving.metrics import Metrics
from gpt2.serving.patterns import Patterns
from gpt2.serving.responses import Completion
from gpt2.serving.schema import CompletionRequest
from gpt2.serving.text import Job, Piece


class Backend(Protocol):
    """The interface of ``Scheduler`` and of ``Replicas``, which write texts."""

    def stream(self, job: Job, live: bool) -> AsyncGenerator[list[Piece]]:
        """Yields new pieces of a job's texts, until all texts have ended.

        Without ``live`` it yields one list, at the end.
        """


def make_app(
    checkpoint: Checkpoint, backend: Backend, api_key: str | None = None
) -> FastAPI:
    """Returns the server's application.

    Args:
        checkpoint: used for the name, the sizes and the tokenizer.
        backend: writes the texts.
        api_key: clients must send this key; None allows requests without a key.
    """
    app = FastAPI(
        title="gpt2 serve", responses=ERRORS, docs_url=None, redoc_url=None
    )  # the pages of FastAPI's documentation would load from other servers
    app.add_middleware(Guards, api_key=api_key)
    locked = [Depends(HTTPBearer(auto_error=False))] if api_key else []  # to describe
    handle_errors(app)
    endpoint = Endpoint(checkpoint, backend)
    card = Card(id=checkpoint.name, object="model", created=0, owned_by="local")

    @app.get("/health")
    async def health() -> Health:
        return {"status": "ok"}

    @app.get("/metrics", response_class=PlainTextResponse, dependencies=locked)
    async def metrics() -> Response:
        text = generate_latest(endpoint.metrics.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    @app.get("/v1/models", dependencies=locked)
    async def models() -> Cards:
        return {"object": "list", "data": [card]}

    @app.get("/v1/models/{name:path}", dependencies=locked)
    async def model(name: str) -> Card:
        check_model(name, checkpoint)
        return card

    @app.post("/v1/completions", responses=COMPLETION, dependencies=locked)
    async def completions(body: CompletionRequest, request: Request) -> Response:
        return await endpoint.answer(body, request)

    return app


class Endpoint:
    """Answers ``/v1/completions``.

    Args:
        checkpoint: used for the name, the sizes and the tokenizer.
        backend: writes the texts.
    """

    def __init__(self, checkpoint: Checkpoint, backend: Backend) -> None:
        self.metrics = Metrics()
        self._checkpoint, self._backend = checkpoint, backend
        self._patterns = Patterns(checkpoint)

    async def answer(self, body: CompletionRequest, request: Request) -> Response:
        """Returns a whole completion or a started stream; raises ``ApiError``."""
        try:
            job = await asyncio.to_thread(job_of, body, self._checkpoint)
            if body.pattern is not None:
                constraint = await self._patterns.constraint(body.pattern)
                job = replace(job, constraint=constraint)
            completion = Completion(body, job, self._checkpoint.tokenizer)
            pieces = self._follow(job, body.stream)
            if body.stream:
                first = await anext(pieces)  # raises if the queue is full
                events = self._events(completion, first, pieces)
                return StreamingResponse(events, media_type="text/event-stream")
            return JSONResponse(await unless_gone(request, whole(completion, pieces)))
        except Exception as error:
            known = as_api_error(error)
            self.metrics.requests.labels(known.status).inc()
            raise known from error

    async def _follow(self, job: Job, live: bool) -> AsyncGenerator[list[Piece]]:
        """Yields the backend's pieces, and updates the metrics."""
        start, metrics, number = perf_counter(), self.metrics, 0
        metrics.prompt_tokens.inc(sum(map(len, job.prompts)))
        with metrics.active.track_inprogress():
            async with aclosing(written(self._backend, job, live)) as stream:
                async for pieces in stream:
                    if live and not number:
                        metrics.first.observe(perf_counter() - start)
                    number += 1
                    metrics.tokens.inc(sum(piece.tokens for piece in pieces))
                    yield pieces
        metrics.whole.observe(perf_counter() - start)
        metrics.requests.labels(200).inc()

    async def _events(
        self,
        completion: Completion,
        first: list[Piece],
        rest: AsyncGenerator[list[Piece]],
    ) -> AsyncGenerator[str]:
        """Yields the stream's events; after an error, the last event describes it."""
        async with aclosing(rest):
            try:
                yield event(completion.chunk(first))
                async for pieces in rest:
                    yield event(completion.chunk(pieces))
            except Exception as error:
                yield event(as_api_error(error).body())
                return
        if completion.request.usage_wanted:
            yield event(completion.usage_chunk())
        yield "data: [DONE]\n\n"


async def written(
    backend: Backend, job: Job, live: bool
) -> AsyncGenerator[list[Piece]]:
    """Yields the backend's pieces; ``max_tokens`` 0 does not call the backend."""
    if job.max_tokens == 0:
        yield [Piece(index, finish="length") for index in range(job.rows)]
        return
    async with aclosing(backend.stream(job, live)) as stream:
        async for pieces in stream:
            yield pieces


async def whole(
    completion: Completion, pieces: AsyncGenerator[list[Piece]]
) -> CompletionBody:
    """Returns the JSON object for all pieces."""
    async with aclosing(pieces):
        return completion.whole([piece async for some in pieces for piece in some])


async def unless_gone[T](request: Request, wanted: Awaitable[T]) -> T:
    """Waits for a result; raises ``ApiError`` if the client disconnects first."""
    work = asyncio.ensure_future(wanted)
    gone = asyncio.ensure_future(disconnected(request))
    try:
        await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ApiError(499, "the client has gone")
        return await work
    finally:
        tasks: tuple[asyncio.Future, ...] = work, gone
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task


async def disconnected(request: Request) -> None:
    """Returns when the client has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def event(content: CompletionBody | ErrorBody) -> str:
    """Returns a server-sent event."""
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"
