"""Counters, gauges and histograms, and the text in which Prometheus reads them.

Theory of operation. A program has one registry. Whoever counts something asks it for a metric by name, once, and keeps
it; to count is then one addition in a dict whose keys are the labels' values. What need not be counted because it can
be looked up (how many pods wait) is *computed*, when somebody asks.

    requests = registry.counter("apiserver_request_total", "Counter of apiserver requests …", ("code", "verb"))
    requests.values["200", "GET"] += 1
    seconds = registry.histogram("apiserver_request_duration_seconds", "…", BUCKETS, ("verb",))
    seconds.observe(0.02, "GET")
    registry.text()     # HELP apiserver_request_total …
                        # TYPE apiserver_request_total counter
                        apiserver_request_total{code="200",verb="GET"} 1

Of one metric at most SERIES_MAX sets of labels are told apart; what comes beyond is counted together, with each label
"other". Modelled on prometheus/client_golang and its text format 0.0.4. Left out: summaries, exemplars, OpenMetrics,
the metrics of Go's runtime.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
EXPONENT_FROM = 1e6
SERIES_MAX = 2000
DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""prometheus.DefBuckets."""

Labels = Mapping[str, str]
Samples = list[tuple[Labels, float]]
Metric = tuple[str, str, str, Samples]
"""Name, type, help, samples."""
Key = tuple[str, ...]


class Counts(dict[Key, float]):
    """What is counted, by the labels' values; what is not there is 0."""

    def __missing__(self, key: Key) -> float:
        return 0

    def __setitem__(self, key: Key, value: float) -> None:
        if len(self) >= SERIES_MAX and key not in self:
            key = ("other",) * len(key)
            value += self.get(key, 0)
        super().__setitem__(key, value)


class Counter:
    """A number of things by labels; of a gauge it goes up and down."""

    def __init__(self, name: str, kind: Literal["counter", "gauge"], text: str, labels: Sequence[str]) -> None:
        self.name, self.kind, self.text, self.labels = name, kind, text, tuple(labels)
        self.values = Counts()
        if not labels:
            self.values[()] = 0

    def add(self, *labels: str, by: float = 1) -> None:
        """Count."""
        self.values[labels] += by

    def set(self, value: float, *labels: str) -> None:
        """Set a gauge."""
        self.values[labels] = value

    def told(self) -> Iterable[Metric]:
        """Return it as it is told."""
        counted = sorted(self.values.items())
        samples: Samples = [(dict(zip(self.labels, key, strict=True)), value) for key, value in counted]
        yield self.name, self.kind, self.text, samples


class Histogram:
    """How often something was how much: for each bucket's upper bound, how many were no more than it."""

    def __init__(self, name: str, text: str, buckets: Sequence[float], labels: Sequence[str]) -> None:
        self.name, self.text, self.buckets, self.labels = name, text, tuple(buckets), tuple(labels)
        self._counted: dict[Key, list[float]] = {}
        if not labels:
            self._begin(())

    def observe(self, value: float, *labels: str) -> None:
        """Count one of such a value."""
        counted = self._counted.get(labels) or self._begin(labels)
        counted[bisect_left(self.buckets, value)] += 1
        counted[-1] += value

    def _begin(self, labels: Key) -> list[float]:
        if len(self._counted) >= SERIES_MAX:
            labels = ("other",) * len(labels)
        return self._counted.setdefault(labels, [0] * (len(self.buckets) + 2))

    def told(self) -> Iterable[Metric]:
        """Return it as it is told."""
        samples: Samples = []
        for key, counted in sorted(self._counted.items()):
            labels = dict(zip(self.labels, key, strict=True))
            total = 0.0
            for bound, count in zip((*self.buckets, math.inf), counted[:-1], strict=True):
                total += count
                samples.append(({**labels, "le": number(bound), "": "_bucket"}, total))
            samples += [({**labels, "": "_sum"}, counted[-1]), ({**labels, "": "_count"}, total)]
        yield self.name, "histogram", self.text, samples


class Registry:
    """The metrics of one program by their names."""

    def __init__(self) -> None:
        self._metrics: dict[str, Counter | Histogram] = {}
        self._computed: list[Callable[[], Iterable[Metric]]] = []

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """Return the counter of that name, a new one if need be."""
        return self._counter(name, "counter", text, labels)

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """Return the gauge of that name, a new one if need be."""
        return self._counter(name, "gauge", text, labels)

    def _counter(self, name: str, kind: Literal["counter", "gauge"], text: str, labels: Sequence[str]) -> Counter:
        found = self._metrics.get(name)
        if found is None:
            found = self._metrics[name] = Counter(name, kind, text, labels)
        assert isinstance(found, Counter)
        return found

    def histogram(self, name: str, text: str, buckets: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
        """Return the histogram of that name, a new one if need be; `buckets` are upper bounds in rising order."""
        found = self._metrics.get(name)
        if found is None:
            found = self._metrics[name] = Histogram(name, text, buckets, labels)
        assert isinstance(found, Histogram)
        return found

    def compute(self, told: Callable[[], Iterable[Metric]]) -> None:
        """Have metrics told that are looked up whenever somebody asks. Those of one name are told as one."""
        self._computed.append(told)

    def text(self, *more: Iterable[Metric]) -> str:
        """Return all of them, and `more`, in the text format, by name; what has no sample is left out."""
        found: dict[str, Metric] = {}
        told = [*(one.told() for one in self._metrics.values()), *(tell() for tell in self._computed), *more]
        for name, kind, text, samples in (metric for metrics in told for metric in metrics):
            if name in found:
                found[name][3].extend(samples)
            elif samples:
                found[name] = (name, kind, text, samples)
        return exposed(found[name] for name in sorted(found))


def exposed(metrics: Iterable[Metric]) -> str:
    """Write metrics in the text format: help, type, and each sample with its labels.

    A label without a name is what the sample's name ends with.
    """
    lines = []
    for name, kind, text, samples in metrics:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        for labels, value in samples:
            shown = ",".join(f'{label}="{_escaped(said)}"' for label, said in labels.items() if label)
            lines.append(f"{name}{labels.get('', '')}{f'{{{shown}}}' if shown else ''} {number(value)}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    """Write a number as Go's strconv does with format g and the shortest precision: 600, 0.25, 1.7e+06, +Inf."""
    if value == math.inf:
        return "+Inf"
    if abs(value) < EXPONENT_FROM:
        return str(int(value)) if value == int(value) else repr(float(value))
    digits = f"{Decimal(repr(value)):f}".partition(".")
    exponent = len(digits[0]) - 1
    mantissa = (digits[0] + digits[2]).rstrip("0")
    return f"{mantissa[0]}{'.' if mantissa[1:] else ''}{mantissa[1:]}e+{exponent:02d}"
