"""The clients of ``benchmarks.serving``: Locust in a process without its web pages.

Each client requests one text after another, as a stream, without a pause.
"""

import json
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from time import perf_counter

import gevent
from locust import FastHttpUser, constant, task
from locust.contrib.fasthttp import ResponseContextManager
from locust.env import Environment
from numpy import percentile

NUMBERS = count()  # numbers the requests of all clients


class Client(FastHttpUser):
    """Reads streams to their end and records each request."""

    wait_time = constant(0)
    requests: list[dict]
    expected: list[str]
    seen: list[dict]

    @task
    def complete(self) -> None:
        """Sends one request and reads the whole answer."""
        number = next(NUMBERS) % len(self.requests)
        body = self.requests[number] | {"stream": True}
        start, text, first, finish = perf_counter(), "", None, None
        with self.client.post(
            "/v1/completions", json=body, stream=True, catch_response=True
        ) as response:
            for event in events(response):
                first = first or perf_counter() - start
                (choice,) = event["choices"]
                text, finish = text + choice["text"], choice["finish_reason"]
        self.seen.append(
            {
                "start": start,
                "end": perf_counter(),
                "first": first,
                "tokens": body["max_tokens"],
                "ended": finish is not None,
                "right": text == self.expected[number],
            }
        )


def events(response: ResponseContextManager) -> Iterator[dict]:
    """Yields the JSON objects of a stream; stops at an error."""
    if response.status_code != 200:
        return
    assert response._response
    while line := response._response.readline(b"\n"):  # without buffering
        data = line.decode().strip().removeprefix("data: ")
        if data == "[DONE]" or data.startswith('{"error"'):
            return
        if data:
            yield json.loads(data)


def run(clients: int, seconds: float) -> None:
    """Runs the clients for some seconds, then waits for the last answers."""
    environment = Environment(user_classes=[Client], stop_timeout=30)
    runner = environment.create_local_runner()
    runner.start(clients, spawn_rate=clients)
    gevent.sleep(seconds)
    runner.stop()
    runner.quit()


def summary(seen: list[dict], clients: int, seconds: float, begin: float) -> dict:
    """The figures of one level. Tokens count if the request ended in time."""
    done = [one for one in seen if one["ended"]]
    firsts = [one["first"] for one in done]
    inside = sum(one["tokens"] for one in done if one["end"] <= begin + seconds)
    return {
        "clients": clients,
        "tokens_per_second": inside / seconds,
        "requests": len(seen),
        "failed": len(seen) - len(done),
        "wrong": sum(not one["right"] for one in done),
        "first_token_seconds": {
            "p50": float(percentile(firsts, 50)),
            "p95": float(percentile(firsts, 95)),
        },
    }


def main(address: str, file: str, clients: str, seconds: str) -> None:
    """Runs one level of load and prints the figures as JSON."""
    content = json.loads(Path(file).read_text(encoding="utf-8"))
    Client.host, Client.seen = address, []
    Client.requests, Client.expected = content["requests"], content["expected"]
    begin = perf_counter()
    run(int(clients), float(seconds))
    print(json.dumps(summary(Client.seen, int(clients), float(seconds), begin)))


if __name__ == "__main__":
    main(*sys.argv[1:])
