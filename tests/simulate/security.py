"""Nobody is let in who should not be, from the instant on at which they should not be; and nobody is shut out.

    served       a user whom RBAC allowed it, at some instant from just before the request to the answer; while a server
                 finds its way back to an etcd that was away, from before that on (its reflectors wait up to 30 s), and
                 from before a change on of which etcd has not told it yet, as a member that lags behind others does
    forbidden    a user whom RBAC did not allow it, at some such instant; or by a server that has just been started and
                 has not read the RBAC objects yet, as real ones do (--startup-send-retry-after-until-ready is off),
                 however long an etcd that is slow or cut off lets it wait
    expired      a certificate or token past its end gets 401; a token's end may be LEEWAY_SECONDS later by another
                 clock, and a token may be remembered for TOKEN_SECONDS
    deleted      so does the token of a service account that is no more, once the server has heard of it: it asks its
                 cache, as real ones do, which may be as late as with permissions
    fault        what shows an unknown authority's certificate gets 401; who meets a server's wrong name asks nothing
    node         a kubelet writes its own Node, its own lease, and the pods that are bound to it

Nodes' rights to read are not judged: they follow from a graph that would have to be built here again.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from tests.simulate.access import Access, Question
from tests.simulate.story import Entry, History, Violation
from tests.simulate.traffic import API_SERVER, SLACK_SECONDS, Exchange

MAY = "nobody is served who may not"
SHUT_OUT = "nobody is forbidden who may"
ENDED = "credentials that have ended are refused"
SHOWN = "certificates that do not hold are refused"
NODES = "a kubelet writes what is its own"
HEARD_SECONDS = 0.05
REFLECTOR_SECONDS = 30.0
"""client-go's reflectors wait so long at most before they watch again."""
STARTING_SECONDS = 5.0
TOKEN_SECONDS, LEEWAY_SECONDS = 10.0, 60.0
NODE = "system:node:"
ANONYMOUS = "system:anonymous"
ETCD = "control-plane/etcd"
RBAC = frozenset({"roles", "rolebindings", "clusterroles", "clusterrolebindings"})


def intrusions(traffic: list[Exchange], entries: list[Entry], history: History, epoch: datetime) -> Iterator[Violation]:
    """Judge every request that was answered."""
    access = Access(history)
    clock = _Clock(entries, epoch)
    starting = list(_starting(entries))
    started = [entry["at"] for entry in entries if entry["kind"] == "process.started" and entry["from"] == ETCD]
    returns = started[1:]
    untold = list(_untold(entries, history))
    for one in traffic:
        if not one.status:
            continue
        late = any(0 <= one.began - at < REFLECTOR_SECONDS for at in returns)
        since = one.began - HEARD_SECONDS - (REFLECTOR_SECONDS if late else 0.0)
        before = [at - HEARD_SECONDS for at, told in untold if at <= one.began < told]
        fresh = any(begin <= one.ended < end for begin, end in starting)
        yield from _permitted(one, access, min([since, *before]), fresh=fresh)
        yield from _in_time(one, clock, history, REFLECTOR_SECONDS if late else 0.0)
        if one.said.user.startswith(NODE) and 200 <= one.status < 300:
            yield from _own(one, history)
    yield from _shown(traffic, entries)


def _starting(entries: Iterable[Entry]) -> Iterator[tuple[float, float]]:
    """Give when an API server had just been started, had not found etcd yet, or had not read all of RBAC's kinds."""
    etcd_is_up, since = True, None
    unread: set[str] = set()
    for entry in entries:
        started = entry["kind"] == "process.started"
        if entry["from"] == ETCD and (started or entry["kind"] == "process.exited"):
            etcd_is_up = started
        if started and entry["from"] == API_SERVER:
            since, unread = entry["at"], set(RBAC)
        if since is not None and entry["kind"] == "grpc.response" and entry["to"] == API_SERVER:
            unread -= {_listed(entry["fields"])}
        if since is not None and etcd_is_up and not unread:
            yield since, entry["at"] + STARTING_SECONDS
            since = None
    if since is not None:
        yield since, float("inf")


def _untold(entries: Iterable[Entry], history: History) -> Iterator[tuple[float, float]]:
    """Give when an RBAC object was written, and when etcd told of it, where this took longer than usual."""
    events = (one for one in entries if one["kind"] == "etcd.event" and one["to"] == API_SERVER)
    told = {one["fields"]["revision"]: one["arrived"] for one in events if one["fields"].get("resource") in RBAC}
    for write in (write for resource in sorted(RBAC) for write in history.of(resource)):
        heard = told.get(write.revision, write.at)
        if heard - write.at > HEARD_SECONDS:
            yield write.at, heard


def _listed(fields: Entry) -> str:
    """Give the kind of which etcd has given a whole list."""
    whole = fields.get("status") == "OK" and fields.get("method") == "Range" and fields.get("rangeEnd")
    return str(fields["resource"]) if whole and "resource" in fields else ""


# -- permission ----------------------------------------------------------------------------------------------------


def _permitted(one: Exchange, access: Access, since: float, *, fresh: bool) -> Iterator[Violation]:
    if one.status == 401 or one.said.user.startswith(NODE):
        return
    allowed = access.allows(_question(one), since, one.ended)
    if one.status != 403 and True not in allowed:
        text = f"{one.said.user or ANONYMOUS} may not {one.request['label']}, and was answered {one.status}"
        yield Violation(MAY, text, one.seqs)
    elif one.status == 403 and not fresh and False not in allowed and _is_authorizers(one):
        text = f"{one.said.user or ANONYMOUS} may {one.request['label']}, and was forbidden to"
        yield Violation(SHUT_OUT, text, one.seqs)


def _is_authorizers(one: Exchange) -> bool:
    """Tell the authorizer's 403 from an admission plug-in's."""
    assert one.answer is not None
    return " cannot " in str(one.answer["fields"].get("message", ""))


def _question(one: Exchange) -> Question:
    fields, said = one.request["fields"], one.said
    groups = (*said.groups, "system:authenticated") if said.user else ("system:unauthenticated",)
    user, path = said.user or ANONYMOUS, fields["path"].partition("?")[0]
    if not one.resource:
        return Question(user, groups, fields["verb"], path=path)
    resource = f"{one.resource}/{one.subresource}" if one.subresource else one.resource
    name = _name(path) if one.verb != "create" or one.subresource else ""
    namespace = fields.get("namespace", "") if one.resource != "namespaces" else name
    return Question(user, groups, fields["verb"], _group(path), resource, namespace, name)


def _group(path: str) -> str:
    parts = path.strip("/").split("/")
    return parts[1] if parts[0] == "apis" else ""


def _name(path: str) -> str:
    """Read the object's name from /api/v1/namespaces/default/pods/web/status; "" of a collection."""
    parts = path.strip("/").split("/")
    rest = parts[3:] if parts[0] == "apis" else parts[2:]
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
        rest = rest[2:]
    return rest[1] if len(rest) > 1 else ""


# -- time ----------------------------------------------------------------------------------------------------------


class _Clock:
    """The API server's wall clock, which a fault may have set wrong."""

    def __init__(self, entries: Iterable[Entry], epoch: datetime) -> None:
        self._epoch = epoch.timestamp()
        self._skews: list[tuple[float, float]] = [(0.0, 0.0)]
        for entry in entries:
            fields = entry["fields"]
            if fields.get("name") == "clock-skew" and fields.get("target") == "control-plane":
                skew = fields["seconds"] if entry["kind"] == "fault.started" else 0.0
                self._skews.append((entry["at"], skew))

    def earliest(self, since: float, until: float) -> float:
        """Give the earliest that it may have said between two instants, in seconds since 1970."""
        return min(self._epoch + at + skew for at, skew in self._shown(since, until))

    def _shown(self, since: float, until: float) -> Iterator[tuple[float, float]]:
        skews = [skew for at, skew in self._skews if at <= since][-1:]
        skews += [skew for at, skew in self._skews if since < at <= until]
        for skew in skews:
            yield since, skew
            yield until, skew


def _in_time(one: Exchange, clock: _Clock, history: History, late: float) -> Iterator[Violation]:
    said = one.said
    if one.status == 401:
        return
    is_token = said.user.startswith("system:serviceaccount:")
    remembered = TOKEN_SECONDS + LEEWAY_SECONDS if is_token else SLACK_SECONDS
    if said.expires is not None and clock.earliest(one.began, one.ended) > said.expires + remembered:
        text = f"{said.user} came with credentials that had ended, and was answered {one.status}"
        yield Violation(ENDED, text, one.seqs)
    if is_token and said.account_uid:
        _, _, namespace, name = said.user.split(":", 3)
        writes = history.about(f"serviceaccounts/{namespace}/{name}")
        lived = [write for write in writes if write.now and write.now["metadata"]["uid"] == said.account_uid]
        gone = next((w.at for w in writes if w.now is None and lived and w.revision > lived[-1].revision), None)
        if not lived or (gone is not None and one.began > gone + TOKEN_SECONDS + HEARD_SECONDS + late):
            yield Violation(ENDED, f"{said.user} was no more, and its token was answered {one.status}", one.seqs)


# -- what is shown in the handshake --------------------------------------------------------------------------------


def _shown(traffic: list[Exchange], entries: list[Entry]) -> Iterator[Violation]:
    faults: dict[str, tuple[str, str]] = {}
    opened: dict[int, str] = {}
    started: dict[str, set[str]] = {}
    wrong: dict[int, str] = {}
    for entry in entries:
        kind, fields = entry["kind"], entry["fields"]
        if kind == "fault.started" and str(fields.get("name")) in _REFUSED:
            faults[fields["id"]] = fields["name"], fields["target"]
        elif kind == "fault.ended":
            name, target = faults.pop(fields["id"], ("", ""))
            started.get(target, set()).discard(name)
        elif kind == "process.started":
            started[entry["from"]] = {name for name, target in faults.values() if target == entry["from"]}
        elif kind == "tcp.syn" and fields["flags"] == "S" and entry["to"] == API_SERVER:
            number = entry["connection"]
            if started.get(entry["from"], set()) - {_WRONG_NAME}:
                opened[number] = entry["from"]
            elif _WRONG_NAME in started.get(API_SERVER, set()):
                wrong[number] = entry["from"]
    for one in traffic:
        number = one.request["connection"]
        if number in opened and one.status not in (0, 401):
            text = f"{opened[number]} showed a certificate that does not hold, and was answered {one.status}"
            yield Violation(SHOWN, text, one.seqs)
        if number in wrong:
            yield Violation(SHOWN, f"{wrong[number]} asked a server whose certificate names another", one.seqs)


_WRONG_NAME = "serving-certificate-wrong-name"
_REFUSED = ("certificate-expired", "certificate-unknown-authority", _WRONG_NAME)


# -- nodes ---------------------------------------------------------------------------------------------------------


def _own(one: Exchange, history: History) -> Iterator[Violation]:
    if one.verb not in ("create", "update", "patch", "delete"):
        return
    node = one.said.user.removeprefix(NODE)
    name = one.token.rpartition("/")[2]
    if one.resource in ("nodes", "leases") and name != node:
        yield Violation(NODES, f"{node}'s kubelet wrote {one.token}", one.seqs)
    elif one.resource == "pods":
        states: list[Any] = [write.now for write in one.at(history) if write is not None and write.now is not None]
        if states and not any(state["spec"].get("nodeName") == node for state in states):
            yield Violation(NODES, f"{node}'s kubelet wrote {one.token}, which is not bound to it", one.seqs)
