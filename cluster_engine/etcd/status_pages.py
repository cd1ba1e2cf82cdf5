"""What etcd says of itself by plain HTTP: its health, its version, what it counts.

    curl http://127.0.0.1:2381/metrics                           on its host: --listen-metrics-urls
    curl --cacert … --cert … --key … https://127.0.0.1:2379/health      {"health":"true","reason":""}
    curl http://127.0.0.1:2381/readyz?verbose                    [+]data_corruption ok …

Healthy is whoever has a leader, no alarm, and can read what the majority agreed upon. Modelled on
server/etcdserver/api/etcdhttp/{health,metrics,version}.go (3.5). Left out: /debug, exclusion of alarms.
"""

import asyncio
from collections.abc import Iterable
from urllib.parse import parse_qs

import msgspec

from cluster_engine.etcd.agreement import Agreement
from cluster_engine.etcd.errors import EtcdError
from cluster_engine.etcd.quota import QUOTA_BYTES
from cluster_engine.etcd.store import Store
from cluster_engine.metrics.plain_port import JSON, OK, PROMETHEUS, TEXT, UNAVAILABLE, Answer, answer_one
from cluster_engine.metrics.registry import Metric
from cluster_engine.world.process import Process

VERSION, CLUSTER_VERSION = "3.5.16", "3.5.0"
CHECK_SECONDS = 5.0
CHECKS = {
    "livez": ("serializable_read",),
    "readyz": ("data_corruption", "serializable_read", "linearizable_read"),
}


class StatusPages:
    """Answers on the ports of one member."""

    def __init__(self, process: Process, store: Store, agreement: Agreement) -> None:
        self._process = process
        self._store = store
        self._agreement = agreement
        process.metrics.compute(self._told)

    async def answer(self, target: str) -> Answer | None:
        """Answer a request for a path; None where there is none."""
        path, _, query = target.partition("?")
        name, _, only = path.strip("/").partition("/")
        if path == "/metrics":
            return OK, PROMETHEUS, self._process.metrics.text().encode()
        if path == "/version":
            return OK, JSON, msgspec.json.encode({"etcdserver": VERSION, "etcdcluster": CLUSTER_VERSION})
        if path == "/health":
            return await self._health()
        if name in CHECKS and (not only or only in CHECKS[name]):
            return await self._checked(
                name, (only,) if only else CHECKS[name], verbose="verbose" in parse_qs(query, True)
            )
        return None

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection of HTTP/1.1."""
        await answer_one(reader, writer, self.answer)

    async def _health(self) -> Answer:
        why = ""
        if self._store.has_no_space:
            why = "ALARM NOSPACE"
        elif not self._agreement.leader:
            why = "RAFT NO LEADER"
        elif problem := await self._unreadable():
            why = f"QGET ERROR:{problem}"
        body = msgspec.json.encode({"health": "false" if why else "true", "reason": why})
        return UNAVAILABLE if why else OK, JSON, body

    async def _checked(self, name: str, checks: Iterable[str], *, verbose: bool) -> Answer:
        problem = await self._unreadable() if "linearizable_read" in checks else ""
        lines = [f"[-]linearizable_read failed: {problem}" if problem and one == "linearizable_read" else f"[+]{one} ok"
                 for one in checks]  # fmt: skip
        if problem:
            return UNAVAILABLE, TEXT, "\n".join([*lines, f"{name} check failed\n"]).encode()
        return OK, TEXT, "\n".join([*lines, "ok\n"]).encode() if verbose else b"ok\n"

    async def _unreadable(self) -> str:
        """Say why what the majority agreed upon cannot be read, "" if it can."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._agreement.readable()
        except TimeoutError:
            return "context deadline exceeded"
        except EtcdError as error:
            return str(error)
        return ""

    def _told(self) -> Iterable[Metric]:
        store, agreement = self._store, self._agreement
        size = store.history.size_bytes
        for name, kind, text, value in (
            ("server_has_leader", "gauge", "Whether or not a leader exists. 1 is existence, 0 is not.",
             bool(agreement.leader)),
            ("server_is_leader", "gauge", "Whether or not this member is a leader. 1 if is, 0 otherwise.",
             agreement.leads),
            ("server_leader_changes_seen_total", "counter", "The number of leader changes seen.",
             agreement.leader_changes),
            ("server_proposals_committed_total", "gauge", "The total number of consensus proposals committed.",
             agreement.index),
            ("server_proposals_applied_total", "gauge", "The total number of consensus proposals applied.",
             store.raft_index),
            ("server_quota_backend_bytes", "gauge", "Current backend storage quota size in bytes.", QUOTA_BYTES),
            ("mvcc_db_total_size_in_bytes", "gauge", "Total size of the underlying database physically allocated in "
             "bytes.", size),
            ("mvcc_db_total_size_in_use_in_bytes", "gauge", "Total size of the underlying database logically in use in "
             "bytes.", size),
            ("debugging_mvcc_keys_total", "gauge", "Total number of keys.", store.history.key_count),
            ("debugging_mvcc_current_revision", "gauge", "The current revision of store.", store.revision),
            ("debugging_mvcc_compact_revision", "gauge", "The revision of the last compaction in store.",
             store.compacted),
        ):  # fmt: skip
            yield f"etcd_{name}", kind, text, [({}, float(value))]
        version = "Which version is running. 1 for 'server_version' label with current version."
        yield "etcd_server_version", "gauge", version, [({"server_version": VERSION}, 1)]
