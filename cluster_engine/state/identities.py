"""Certificates and tokens in use: what the ends of open connections have shown.

    client  worker-1/kubelet  CN=system:node:worker-1,O=system:nodes  by kubernetes, until 2027-11-21  connections 8
    token   worker-1/kube-proxy  system:serviceaccount:kube-system:kube-proxy  until …                 connections 6

Of a token its claims are shown, never its text.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from cluster_engine.api.objects import Object
from cluster_engine.api.time import rfc3339
from cluster_engine.state.moment import Moment

CONNECTIONS_MAX = 1000


def view(moment: Moment, args: Mapping[str, str]) -> Object:
    """Answer `identities`, of the connections that are open."""
    del args
    certificates: dict[tuple[str, str, str], Object] = {}
    tokens: dict[tuple[str, str, str, int | None], Object] = {}
    there = [pair for pair in moment.fold.connections.by_number.items() if pair[1].is_open(moment.at)]
    for number, one in there[:CONNECTIONS_MAX]:
        for role in ("client", "server"):
            shown = one.facts.at(moment.at, f"{role} certificate")
            if shown is not None:
                seq, participant = shown
                facts = _facts(moment, seq)
                key = (participant, facts.get("serial", ""), role)
                found = certificates.setdefault(key, _certificate(participant, role, facts, seq))
                found["connections"].append(number)
        for (subject, audience, expires), seq in (one.facts.at(moment.at, "tokens") or {}).items():
            token = _token(one.client, subject, audience, expires, seq)
            tokens.setdefault((one.client, subject, audience, expires), token)["connections"].append(number)
    return {"certificates": list(certificates.values()), "tokens": list(tokens.values())}


def _facts(moment: Moment, seq: int) -> Object:
    entry = moment.reader.entry(seq)
    fields: Object = {} if entry is None else entry["fields"]
    return fields


def _certificate(participant: str, role: str, facts: Object, seq: int) -> Object:
    said = {"subject": facts.get("subject"), "issuer": facts.get("issuer"), "notAfter": facts.get("notAfter")}
    return {"participant": participant, **said, "role": role, "connections": [], "seq": seq}


def _token(participant: str, subject: str, audience: str, expires: int | None, seq: int) -> Object:
    told = {"participant": participant, "subject": subject, "audience": audience, "expires": _date(expires)}
    return {**told, "connections": [], "seq": seq}


def _date(seconds: int | None) -> str | None:
    try:
        return None if seconds is None else rfc3339(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, OSError, ValueError):
        return None
