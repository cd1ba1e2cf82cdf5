"""What kube-proxy counts, as Prometheus reads it on port 10249.

    metrics.synced(0.004, at)
    kubeproxy_sync_proxy_rules_duration_seconds_bucket{le="0.004"} 1 …

Names and buckets are those of `pkg/proxy/metrics/metrics.go`.
"""

from cluster_engine.metrics.registry import Registry
from cluster_engine.proxy.services import ServicePort
from cluster_engine.world.packet_filter import Table

BUCKETS = tuple(0.001 * 2**n for n in range(15))
PREFIX = "kubeproxy_sync_proxy_rules"
CHANGES = ("endpoint", "service")


class Metrics:
    """Counts in a registry. Timestamps are seconds since 1970."""

    def __init__(self, registry: Registry) -> None:
        gauge, counter = registry.gauge, registry.counter
        self._seconds = registry.histogram(
            f"{PREFIX}_duration_seconds", "[ALPHA] SyncProxyRules latency in seconds", BUCKETS
        )
        self._pending = {
            what: gauge(f"{PREFIX}_{what}_changes_pending", f"[ALPHA] Pending {what} changes") for what in CHANGES
        }
        self._changes = {
            what: counter(f"{PREFIX}_{what}_changes_total", f"[ALPHA] Cumulative {what} changes") for what in CHANGES
        }
        self._queued_at = gauge(f"{PREFIX}_last_queued_timestamp_seconds", "[ALPHA] The last time a sync was queued")
        self._synced_at = gauge(f"{PREFIX}_last_timestamp_seconds", "[ALPHA] The last time rules were synced")
        counter(f"{PREFIX}_iptables_restore_failures_total", "[ALPHA] Cumulative iptables restore failures")
        table = ("table",)
        self._last = gauge(
            f"{PREFIX}_iptables_last", "[ALPHA] Number of iptables rules written by kube-proxy in last sync", table
        )
        self._owned = gauge(
            f"{PREFIX}_iptables_total", "[ALPHA] Total number of iptables rules owned by kube-proxy", table
        )
        self._without_local = gauge(
            f"{PREFIX}_no_local_endpoints_total",
            "[ALPHA] Services with a Local policy and no local end",
            ("traffic_policy",),
        )
        self._asked = {
            path: counter(
                f"kubeproxy_proxy_{path[1:]}_total", f"[ALPHA] Cumulative proxy {path[1:]} HTTP status", ("code",)
            )
            for path in ("/healthz", "/livez")
        }
        self._tell_without_local(0, 0)

    def heard(self, what: str, at: float) -> None:
        """Count a change of a "service" or an "endpoint" that is not in the rules yet."""
        self._pending[what].add()
        self._changes[what].add()
        self._queued_at.set(at)

    def begins(self) -> None:
        """A sync begins: what is pending will be in the rules."""
        for pending in self._pending.values():
            pending.set(0)

    def synced(self, seconds: float, at: float) -> None:
        """Count a sync that took so long."""
        self._seconds.observe(seconds)
        self._synced_at.set(at)

    def loaded(self, ports: list[ServicePort], tables: list[Table]) -> None:
        """Take down what the rules are now."""
        for table in tables:
            if table.name != "mangle":
                self._last.set(table.rules, table.name)
                self._owned.set(table.rules, table.name)
        local = [port for port in ports if port.reachable and not port.local]
        self._tell_without_local(sum(port.internal_local for port in local), sum(port.external_local for port in local))

    def _tell_without_local(self, internal: int, external: int) -> None:
        self._without_local.set(internal, "internal")
        self._without_local.set(external, "external")

    def asked(self, path: str, code: int) -> None:
        """Count an answer about the health."""
        self._asked[path].add(str(code))
