"""Whom a connection to a Service reaches: a pod that was ready, as far as its machine's kube-proxy could know.

    worker-1/curl opens 10.96.4.7:80, which leads to 10.244.1.3:80          a tcp.syn of the journal
    its kube-proxy was told of endpointslices up to 57, SYNC_SECONDS ago    Told.floor
    10.244.1.3 serves in a state that the Service's slices had at 57, or since

A pod on its way out that still serves may be reached: the proxier falls back on those where no other is ready. What a
kube-proxy was told just before it ended it may not have put into rules, and nobody has since.
"""

from bisect import bisect_left
from collections.abc import Iterator

from tests.simulate.knowledge import Told, believed
from tests.simulate.story import Entry, History, Violation

READY = "a Service leads to pods that are ready"
SYNC_SECONDS = 3.0
"""The proxier writes its rules once a second, and has to compute them."""
PROXY = "kube-proxy"
SERVICE_NAME = "kubernetes.io/service-name"


def unready_reached(entries: list[Entry], history: History, told: Told) -> Iterator[Violation]:
    """Judge each connection that was led elsewhere than where it was to go."""
    ends = _Ends(entries)
    for entry in entries:
        if entry["kind"] != "tcp.syn" or "leadsTo" not in entry["fields"]:
            continue
        address, place = _host(entry["fields"]["server"]), _host(entry["fields"]["leadsTo"])
        proxy = f"{_machine(entry, history)}/{PROXY}"
        floor = told.floor(proxy, "endpointslices", ends.until(proxy, entry["at"]) - SYNC_SECONDS)
        for service in _services_at(address, history, entry["at"]):
            slices = _slices(service, history)
            known = [state for token in slices for state in believed(history, token, floor, entry["at"])]
            if not any(_serves(state, place) for state in known):
                text = f"{entry['from']} was led to {place} for {service}, which was not ready there"
                yield Violation(READY, text, (entry["seq"],))


class _Ends:
    """When which program ended."""

    def __init__(self, entries: list[Entry]) -> None:
        self._marks: dict[str, list[tuple[float, bool]]] = {}
        for entry in entries:
            if entry["kind"] in ("process.started", "process.exited"):
                self._marks.setdefault(entry["from"], []).append((entry["at"], entry["kind"] == "process.exited"))

    def until(self, program: str, at: float) -> float:
        """Give until when a program has run, that instant at most."""
        marks = self._marks.get(program, [])
        place = bisect_left(marks, (at, False))
        return marks[place - 1][0] if place and marks[place - 1][1] else at


def _host(endpoint: str) -> str:
    return endpoint.rpartition(":")[0]


def _machine(entry: Entry, history: History) -> str:
    """Give the machine of a participant: "worker-1/curl", or of a pod "web-0.default/curl"."""
    host = entry["from"].partition("/")[0]
    name, _, namespace = host.rpartition(".")
    writes = [one for one in history.about(f"pods/{namespace}/{name}") if one.at <= entry["at"] and one.now is not None]
    return str(writes[-1].now["spec"].get("nodeName", "")) if writes and writes[-1].now is not None else host


def _services_at(address: str, history: History, at: float) -> set[str]:
    """Give the Services, "default/web", that have or had an address."""
    found = (one.now for one in history.of("services") if one.at <= at)
    return {_name(one) for one in found if one is not None and one["spec"].get("clusterIP") == address}


def _slices(service: str, history: History) -> set[str]:
    namespace, _, name = service.partition("/")
    return {
        one.token
        for one in history.of("endpointslices")
        if one.now is not None
        and one.now["metadata"]["namespace"] == namespace
        and (one.now["metadata"].get("labels") or {}).get(SERVICE_NAME) == name
    }


def _name(obj: dict) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def _serves(state: dict, address: str) -> bool:
    for endpoint in state.get("endpoints") or ():
        conditions = endpoint.get("conditions") or {}
        if address in endpoint["addresses"] and (conditions.get("ready", True) or conditions.get("serving")):
            return True
    return False
