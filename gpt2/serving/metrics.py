"""Counters for Prometheus."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """Counts and times of one server since its start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: Any = {"registry": self.registry}
        self.requests = Counter(
            "gpt2_requests", "Answered completion requests.", ["status"], **own
        )
        self.active = Gauge("gpt2_active_requests", "Requests being answered.", **own)
        self.prompt_tokens = Counter("gpt2_prompt_tokens", "Tokens read.", **own)
        self.tokens = Counter("gpt2_generated_tokens", "Tokens written.", **own)
        self.first = Histogram(
            "gpt2_first_token_seconds",
            "From a request to its first token, of streams.",
            buckets=SECONDS,
            **own,
        )
        self.whole = Histogram(
            "gpt2_request_seconds", "From a request to its end.", buckets=SECONDS, **own
        )
