"""Prometheus metrics, read from the parts when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

#: (name, help, value); counters end in ``_total``
Sample = tuple[str, str, float]


class _Parts(Collector):
    def __init__(self, samples: Callable[[], list[Sample]]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        for name, text, value in self._samples():
            if name.endswith("_total"):
                yield CounterMetricFamily(name, text, value=value)
            else:
                yield GaugeMetricFamily(name, text, value=value)

    def describe(self) -> list[Metric]:
        return []


def registry(samples: Callable[[], list[Sample]]) -> CollectorRegistry:
    """A registry of its own, so that two services in one process do not mix."""
    made = CollectorRegistry()
    made.register(_Parts(samples))
    return made
