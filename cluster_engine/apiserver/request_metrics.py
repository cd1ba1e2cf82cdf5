"""What an API server counts of its requests: how many, how long they took, how many are under way.

    apiserver_request_total{code="201",component="apiserver",dry_run="",group="",resource="pods",…,verb="POST"} 3
    apiserver_request_duration_seconds_bucket{…,verb="POST",le="0.005"} 3
    apiserver_current_inflight_requests{request_kind="mutating"} 1
    apiserver_longrunning_requests{…,resource="pods",verb="WATCH"} 5        watches, logs, exec that are open now

A request counts when it is over, a watch too. What nobody knows is counted together, so that there is an end to what is
kept. Modelled on apiserver/pkg/endpoints/metrics/metrics.go; there the requests in flight are the most of the last
second. Left out: sizes, clients, the parts of a request's time.
"""

import asyncio
from collections.abc import Iterable

from cluster_engine.api.kinds import Kinds
from cluster_engine.apiserver.request_info import RequestInfo
from cluster_engine.apiserver.serving.exchange import Response, when_over
from cluster_engine.metrics.registry import Metric, Registry

VERBS = {
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETECOLLECTION",
    "post": "POST",
    "put": "PUT",
}
"""By verb, what metrics call it."""
READS = frozenset({"get", "list", "watch"})
BUCKETS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
OF_WHAT = ("group", "resource", "scope", "subresource", "verb", "version")
COMPONENT = "apiserver"


class RequestMetrics:
    """Counts requests in a registry; `kinds` are those that have labels of their own."""

    def __init__(self, registry: Registry, kinds: Kinds) -> None:
        self._kinds = kinds
        self._reading = self._writing = 0
        self._total = registry.counter(
            "apiserver_request_total",
            "[STABLE] Counter of apiserver requests broken out for each verb, resource and HTTP response code.",
            ("code", "component", "dry_run", *OF_WHAT),
        )
        self._seconds = registry.histogram(
            "apiserver_request_duration_seconds",
            "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, "
            "subresource, scope and component.",
            BUCKETS,
            ("component", "dry_run", *OF_WHAT),
        )
        self._open = registry.gauge(
            "apiserver_longrunning_requests",
            "[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, "
            "resource, scope and component. Not all requests are tracked this way.",
            ("component", *OF_WHAT),
        )
        self._time = asyncio.get_running_loop().time
        registry.compute(self._in_flight)

    def began(self, info: RequestInfo) -> float:
        """A request has come; return when."""
        if not info.is_long_running:
            self._count_under_way(info, 1)
        return self._time()

    def answered(
        self, info: RequestInfo, response: Response, began: float, *, applies: bool, dry_run: bool
    ) -> Response:
        """It has been answered, or begins to be: what goes on is counted once it is over."""
        labels = self._of_what(info, applies=applies)
        dry = "All" if dry_run else ""
        if not info.is_long_running:
            self._count_under_way(info, -1)
        if response.stream is None and response.upgrade is None:
            self._over(labels, response.status, dry, began)
            return response
        self._open.values[COMPONENT, *labels] += 1

        def over() -> None:
            self._open.values[COMPONENT, *labels] -= 1
            self._over(labels, response.status, dry, began)

        return when_over(response, over)

    def _over(self, labels: tuple[str, ...], code: int, dry: str, began: float) -> None:
        self._total.values[str(code), COMPONENT, dry, *labels] += 1
        self._seconds.observe(self._time() - began, COMPONENT, dry, *labels)

    def _of_what(self, info: RequestInfo, *, applies: bool) -> tuple[str, ...]:
        kind = self._kinds.served.by_resource(info.group, info.version, info.resource) if info.is_resource else None
        verb = "APPLY" if applies and info.verb == "patch" else VERBS.get(info.verb, "other")
        if kind is None:
            return "", "", "", "", verb, ""
        subresource = info.subresource if kind.subresource(info.subresource) else ""
        scope = "resource" if info.name or info.verb == "create" else "namespace" if info.namespace else "cluster"
        return kind.group, kind.plural, scope, subresource, verb, kind.version

    def _count_under_way(self, info: RequestInfo, by: int) -> None:
        if info.verb in READS:
            self._reading += by
        else:
            self._writing += by

    def _in_flight(self) -> Iterable[Metric]:
        text = (
            "[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in "
            "last second."
        )
        samples = [({"request_kind": "mutating"}, self._writing), ({"request_kind": "readOnly"}, self._reading)]
        yield "apiserver_current_inflight_requests", "gauge", text, [*samples]
