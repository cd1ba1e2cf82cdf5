"""Requests to the API server with their answers, and what the journal's entries do not say: who asked, and the body.

    Exchange(request={…PUT configmaps…}, answer={…409…}, said=Said(user="kubernetes-admin", agent="kubectl/…", …))

What has no answer may still have been done, at any time.
"""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from cluster_engine.api import kinds
from tests.simulate.story import Entry, History, Write

API_SERVER = "control-plane/kube-apiserver"
STORED = frozenset(kind.plural for kind in kinds.BUILT_IN.stored)
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
SLACK_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class Said:
    """What a request carried. `user` is the token's or the certificate's, "" for nobody's."""

    user: str = ""
    groups: tuple[str, ...] = ()
    agent: str = ""
    body: Any = None
    expires: float | None = None
    """When the credentials run out, in seconds since 1970."""
    account_uid: str = ""
    """Of the service account whose token it is."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what was answered, if anything was."""

    request: Entry
    answer: Entry | None
    said: Said = field(default_factory=Said)

    @property
    def verb(self) -> str:
        """Kubernetes' verb."""
        return str(self.request["fields"]["verb"])

    @property
    def resource(self) -> str:
        """The plural."""
        return str(self.request["fields"].get("resource", ""))

    @property
    def subresource(self) -> str:
        """What of the object, "" for the whole."""
        return str(self.request["fields"].get("subresource", ""))

    @property
    def token(self) -> str:
        """The object's name, "pods/default/web-0"; the server chose it where the request did not say."""
        named = self.answer["fields"] if self.answer is not None else self.request["fields"]
        name = named.get("name") or self.request["fields"].get("name", "")
        return f"{self.resource}/{self.request['fields'].get('namespace', '')}/{name}"

    @property
    def status(self) -> int:
        """The answer's, 0 without one."""
        whole = self.answer is not None and "unfinished" not in self.answer["fields"]
        return int(self.answer["fields"]["status"]) if whole and self.answer is not None else 0

    @property
    def reason(self) -> str:
        """A failure's machine-readable reason."""
        return str(self.answer["fields"].get("reason", "")) if self.answer is not None else ""

    @property
    def version(self) -> int:
        """The answered resourceVersion, 0 where there is none."""
        return int(self.answer["fields"].get("resourceVersion") or 0) if self.answer is not None else 0

    @property
    def began(self) -> float:
        """When the request was sent."""
        return float(self.request["at"])

    @property
    def ended(self) -> float:
        """When the answer was sent; never, without one."""
        return float(self.answer["at"]) if self.answer is not None else float("inf")

    @property
    def seqs(self) -> tuple[int, ...]:
        """Where to look."""
        return (self.request["seq"],) if self.answer is None else (self.request["seq"], self.answer["seq"])

    @property
    def is_dry(self) -> bool:
        """Whether nothing is to be stored."""
        return bool(self.parameter("dryRun")) or (
            isinstance(self.said.body, dict) and bool(self.said.body.get("dryRun"))
        )

    def parameter(self, name: str) -> str:
        """Give one of the query's."""
        path: str = self.request["fields"]["path"]
        return parse_qs(urlsplit(path).query).get(name, [""])[0] if "?" in path else ""

    def at(self, history: History) -> list[Write | None]:
        """Give what its object was at any instant of it: the writes that were the latest then, None for none."""
        return present(history.about(self.token), self.began, self.ended)


def present(writes: list[Write], since: float, until: float) -> list[Write | None]:
    """Give the writes of one key that were the latest at some instant; None for an instant before the first."""
    earlier = [write for write in writes if write.at < since - SLACK_SECONDS]
    meanwhile = [write for write in writes if since - SLACK_SECONDS <= write.at <= until + SLACK_SECONDS]
    return [earlier[-1] if earlier else None, *meanwhile]


def exchanges(entries: Iterable[Entry], said: dict[int, Said]) -> list[Exchange]:
    """Pair requests to the API server with their answers, in order of request."""
    requests: dict[int, Entry] = {}
    answers: dict[int, Entry] = {}
    for entry in entries:
        if entry["kind"] == "http.request" and entry["to"] == API_SERVER:
            requests[entry["seq"]] = entry
        elif entry["kind"] == "http.response" and entry["replyTo"] in requests:
            answers[entry["replyTo"]] = entry
    return [Exchange(entry, answers.get(seq), said.get(seq, Said())) for seq, entry in requests.items()]


# -- reading what was said -----------------------------------------------------------------------------------------


def listen(entries: Iterable[Entry], detail: Callable[[int], dict[str, Any]]) -> dict[int, Said]:
    """Open every request to the API server, by `detail`."""
    shown: dict[int, tuple[str, tuple[str, ...], float]] = {}
    said: dict[int, Said] = {}
    for entry in entries:
        if entry["kind"] == "tls.certificate" and entry["to"] == API_SERVER:
            fields = entry["fields"]
            if fields.get("commonName"):
                ends = _seconds(fields["notAfter"])
                shown[entry["connection"]] = (fields["commonName"], tuple(fields["organizations"]), ends)
        elif entry["kind"] == "http.request" and entry["to"] == API_SERVER:
            said[entry["seq"]] = _said(detail(entry["seq"]), shown.get(entry["connection"]))
    return said


def _said(detail: dict[str, Any], shown: tuple[str, tuple[str, ...], float] | None) -> Said:
    headers = dict(detail["headers"])
    body = detail.get("body") or {}
    read = None
    if body.get("type") in ("json", "text") and not body.get("truncated"):  # kubectl applies JSON, and calls it YAML
        try:
            read = msgspec.json.decode(body["text"])
        except msgspec.DecodeError:
            read = None
    agent = headers.get("user-agent", "")
    if shown is not None:
        return Said(*shown[:2], agent, read, shown[2])
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer.count(".") == 2:
        claims = _claims(bearer)
        subject, account = claims.get("sub", ""), claims.get("kubernetes.io", {}).get("serviceaccount", {})
        return Said(subject, _account_groups(subject), agent, read, claims.get("exp"), account.get("uid", ""))
    return Said("", (), agent, read)


def _claims(bearer: str) -> dict[str, Any]:
    text = bearer.split(".")[1]
    claims: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return claims


def _account_groups(subject: str) -> tuple[str, ...]:
    namespace = subject.removeprefix("system:serviceaccount:").partition(":")[0]
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")


def _seconds(date: str) -> float:
    return datetime.fromisoformat(date).timestamp()
