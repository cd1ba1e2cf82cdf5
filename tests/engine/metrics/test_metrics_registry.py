"""What a program counts, as Prometheus reads it."""

import math

from cluster_engine.metrics.registry import SERIES_MAX, Registry, number


def test_a_counter_is_told_with_its_labels_in_order_and_escaped():
    registry = Registry()
    requests = registry.counter("requests_total", "Counter of requests.", ("code", "path"))
    requests.values["404", 'a"\\\n'] += 1
    requests.add("200", "/", by=2)
    assert registry.text() == (
        "# HELP requests_total Counter of requests.\n# TYPE requests_total counter\n"
        'requests_total{code="200",path="/"} 2\nrequests_total{code="404",path="a\\"\\\\\\n"} 1\n'
    )


def test_a_histogram_counts_into_every_bucket_that_is_wide_enough():
    registry = Registry()
    seconds = registry.histogram("s", "Seconds.", (0.1, 1), ("verb",))
    for value in (0.1, 0.5, 3):
        seconds.observe(value, "GET")
    assert registry.text().splitlines()[2:] == [
        's_bucket{verb="GET",le="0.1"} 1',
        's_bucket{verb="GET",le="1"} 2',
        's_bucket{verb="GET",le="+Inf"} 3',
        's_sum{verb="GET"} 3.6',
        's_count{verb="GET"} 3',
    ]


def test_a_name_asked_for_again_is_the_same_metric_and_computed_ones_are_told_as_one():
    registry = Registry()
    assert registry.gauge("g", "A gauge.") is registry.gauge("g", "A gauge.")
    for name in ("a", "b"):
        registry.compute(lambda name=name: [("depth", "gauge", "Depth.", [({"name": name}, 1)])])
    assert registry.text().count("# TYPE depth gauge") == 1
    assert 'depth{name="a"} 1\ndepth{name="b"} 1\n' in registry.text()


def test_labels_beyond_the_bound_are_counted_together():
    registry = Registry()
    counter = registry.counter("c", "Counter.", ("x",))
    seconds = registry.histogram("h", "Seconds.", (1,), ("x",))
    for at in range(SERIES_MAX + 10):
        counter.values[(str(at),)] += 1
        seconds.observe(1, str(at))
    assert len(counter.values) == SERIES_MAX + 1
    assert counter.values["other",] == 10
    assert 'h_count{x="other"} 10' in registry.text()


def test_numbers_are_written_as_go_does():
    assert [number(one) for one in (600, 0.25, 1.7e6, math.inf, 1e-08)] == ["600", "0.25", "1.7e+06", "+Inf", "1e-08"]
