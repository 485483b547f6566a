"""What the server counts and measures, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
BATCHES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "actionformer_requests", "Requests answered.", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "actionformer_request_seconds",
            "Seconds from a request to the end of its answer.",
            ["path"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.steps = Histogram(
            "actionformer_step_seconds",
            "Seconds of a recording in reading and in the network, each with its wait.",
            ["step"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.batches = Histogram(
            "actionformer_batch_recordings",
            "Recordings computed together.",
            buckets=BATCHES,
            registry=self.registry,
        )
        self.killed = Counter(
            "actionformer_killed_processes",
            "Reading processes that were killed or died.",
            ["why"],
            registry=self.registry,
        )

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Adds a figure that is looked up whenever it is asked for."""
        Gauge(f"actionformer_{name}", text, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        """All of them."""
        return generate_latest(self.registry)
