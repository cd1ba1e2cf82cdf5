"""What kube-proxy counts, as Prometheus reads it on port 10249.

    metrics.synced(0.004, ports, tables)
    metrics.text()      kubeproxy_sync_proxy_rules_duration_seconds_bucket{le="0.004"} 1 …

Names and buckets are those of `pkg/proxy/metrics/metrics.go`. Left out: metrics of the Go runtime and of the client.
"""

from collections import Counter

import msgspec

from cluster_engine.proxy.services import ServicePort
from cluster_engine.world.packet_filter import Table

BUCKETS = tuple(0.001 * 2**n for n in range(15))
PREFIX = "kubeproxy_sync_proxy_rules"


class Metrics(msgspec.Struct):
    """Counts since the start. Timestamps are seconds since 1970."""

    durations: list[int] = msgspec.field(default_factory=lambda: [0] * len(BUCKETS))
    seconds: float = 0.0
    syncs: int = 0
    queued_at: float = 0.0
    synced_at: float = 0.0
    service_changes: int = 0
    endpoint_changes: int = 0
    pending: Counter[str] = msgspec.field(default_factory=Counter)
    rules: dict[str, int] = msgspec.field(default_factory=dict)
    without_local: dict[str, int] = msgspec.field(default_factory=lambda: {"internal": 0, "external": 0})
    healthz: Counter[int] = msgspec.field(default_factory=Counter)
    livez: Counter[int] = msgspec.field(default_factory=Counter)

    def heard(self, what: str, at: float) -> None:
        """Count a change of a "service" or an "endpoint" that is not in the rules yet."""
        self.pending[what] += 1
        self.queued_at = at
        if what == "service":
            self.service_changes += 1
        else:
            self.endpoint_changes += 1

    def synced(self, seconds: float, at: float) -> None:
        """Count a sync that took so long."""
        for index, bound in enumerate(BUCKETS):
            self.durations[index] += seconds <= bound
        self.seconds += seconds
        self.syncs += 1
        self.synced_at = at

    def loaded(self, ports: list[ServicePort], tables: list[Table]) -> None:
        """Take down what the rules are now."""
        self.rules = {table.name: table.rules for table in tables if table.name != "mangle"}
        local = [port for port in ports if port.reachable and not port.local]
        self.without_local = {
            "internal": sum(port.internal_local for port in local),
            "external": sum(port.external_local for port in local),
        }

    def text(self) -> str:
        """Write all of them in Prometheus' text format."""
        duration = f"{PREFIX}_duration_seconds"
        lines = [f"# HELP {duration} [ALPHA] SyncProxyRules latency in seconds", f"# TYPE {duration} histogram"]
        counted = zip(BUCKETS, self.durations, strict=True)
        lines += [f'{duration}_bucket{{le="{bound:g}"}} {count}' for bound, count in counted]
        lines += [f'{duration}_bucket{{le="+Inf"}} {self.syncs}']
        lines += [f"{duration}_sum {self.seconds:g}", f"{duration}_count {self.syncs}"]
        for name, kind, told, values in self._simple():
            lines += [f"# HELP {name} [ALPHA] {told}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{labels} {_number(value)}" for labels, value in values.items()]
        return "\n".join(lines) + "\n"

    def _simple(self) -> list[tuple[str, str, str, dict[str, float]]]:
        rules: dict[str, float] = {f'{{table="{name}"}}': count for name, count in sorted(self.rules.items())}
        without = {f'{{traffic_policy="{name}"}}': float(count) for name, count in sorted(self.without_local.items())}
        asked = {
            name: {f'{{code="{code}"}}': float(count) for code, count in sorted(answers.items())}
            for name, answers in (("healthz", self.healthz), ("livez", self.livez))
        }
        changes = {"endpoint": self.endpoint_changes, "service": self.service_changes}
        return [
            ("kubeproxy_proxy_healthz_total", "counter", "Cumulative proxy healthz HTTP status", asked["healthz"]),
            ("kubeproxy_proxy_livez_total", "counter", "Cumulative proxy livez HTTP status", asked["livez"]),
            *(
                (
                    f"{PREFIX}_{what}_changes_pending",
                    "gauge",
                    f"Pending {what} changes",
                    {"": float(self.pending[what])},
                )
                for what in changes
            ),
            *(
                (f"{PREFIX}_{what}_changes_total", "counter", f"Cumulative {what} changes", {"": float(total)})
                for what, total in changes.items()
            ),
            (f"{PREFIX}_iptables_last", "gauge", "Number of iptables rules written by kube-proxy in last sync", rules),
            (f"{PREFIX}_iptables_restore_failures_total", "counter", "Cumulative iptables restore failures", {"": 0}),
            (f"{PREFIX}_iptables_total", "gauge", "Total number of iptables rules owned by kube-proxy", rules),
            (
                f"{PREFIX}_last_queued_timestamp_seconds",
                "gauge",
                "The last time a sync was queued",
                {"": self.queued_at},
            ),
            (f"{PREFIX}_last_timestamp_seconds", "gauge", "The last time rules were synced", {"": self.synced_at}),
            (f"{PREFIX}_no_local_endpoints_total", "gauge", "Services with a Local policy and no local end", without),
        ]


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
