"""All faults by name, and their way to JSON and back.

read({"name": "power-off", "target": "worker-1"})     PowerOff(target="worker-1", start=0.0, end=None, seed=0)
write(_)                                              the same, every field said

FAULTS are those that are offered to people (`describe`); UNOFFERED ones are known here too, for simulations.
"""

import dataclasses
from typing import Any

from cluster_engine.faults.bootstrap_tokens import BootstrapTokenExpired
from cluster_engine.faults.certificates import (
    CertificateExpired,
    CertificateMissing,
    CertificateNotYetValid,
    CertificateUnknownAuthority,
    CertificateWrongIdentity,
    ServingCertificateWrongName,
)
from cluster_engine.faults.components import ApiServerDown, EtcdDown, Kill, Restart, Slow, Stop
from cluster_engine.faults.hosts import ClockSkew, PowerOff, Pressure
from cluster_engine.faults.identities import NodeNameTaken, TlsMismatch, TokenRefused
from cluster_engine.faults.images import CrashLoop, Hang, ImageNotFound, OutOfMemory
from cluster_engine.faults.links import BadLink, Bandwidth, HalfOpen, Jitter, Latency, Loss, Partition, Reset
from cluster_engine.faults.permissions import BindingRevoked
from cluster_engine.faults.record import Fault, FaultError
from cluster_engine.faults.requests import AnswerLost, RequestRefused, StaleCache, WatchDropped
from cluster_engine.faults.storage import EtcdCompacted, EtcdDiskLost, EtcdNoSpace, EtcdRestored, EtcdSlowDisk
from cluster_engine.faults.storylines import Storyline
from cluster_engine.faults.watchers import SlowWatcher

_ALL: tuple[type[Fault], ...] = (
    Stop,
    Kill,
    Restart,
    Slow,
    PowerOff,
    ClockSkew,
    Pressure,
    Partition,
    Latency,
    Jitter,
    Loss,
    Bandwidth,
    Reset,
    HalfOpen,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateUnknownAuthority,
    CertificateWrongIdentity,
    CertificateMissing,
    ServingCertificateWrongName,
    TlsMismatch,
    TokenRefused,
    BootstrapTokenExpired,
    NodeNameTaken,
    BindingRevoked,
    EtcdCompacted,
    EtcdSlowDisk,
    EtcdNoSpace,
    EtcdRestored,
    EtcdDown,
    ApiServerDown,
    RequestRefused,
    AnswerLost,
    WatchDropped,
    SlowWatcher,
    StaleCache,
    ImageNotFound,
    CrashLoop,
    OutOfMemory,
    Hang,
    Storyline,
)
FAULTS: dict[str, type[Fault]] = {fault.name: fault for fault in _ALL}
UNOFFERED: dict[str, type[Fault]] = {fault.name: fault for fault in (BadLink, EtcdDiskLost)}


def write(record: Fault) -> dict[str, Any]:
    """Return a record as JSON."""
    values = {_camel(one.name): getattr(record, one.name) for one in dataclasses.fields(record)}
    return {"name": record.name, **values}


def read(document: Any) -> Fault:
    """Make a record of JSON. FaultError when a name is unknown or a field is missing or too many."""
    if not isinstance(document, dict):
        raise FaultError("a fault is an object with a name and a target")
    name = document.get("name")
    kind = FAULTS.get(name) or UNOFFERED.get(name) if isinstance(name, str) else None
    if kind is None:
        raise FaultError(f"there is no fault {name}; faults are {', '.join(FAULTS)}")
    known = {_camel(one.name): one for one in dataclasses.fields(kind)}
    for field in document:
        if field != "name" and field not in known:
            raise FaultError(f"the fault {name} has no field {field}; its fields are {', '.join(known)}")
    for field, one in known.items():
        if one.default is dataclasses.MISSING and field not in document:
            raise FaultError(f"the fault {name} needs a {field}")
    return kind(**{one.name: document[field] for field, one in known.items() if field in document})


def named(name: str, /, **fields: Any) -> Fault:
    """Make a record as Python says it: named("power-off", target="worker-1"). FaultError as `read`."""
    return read({"name": name, **{_camel(field): value for field, value in fields.items()}})


def describe() -> list[dict[str, Any]]:
    """Return as JSON what faults there are, with each field's default and bounds, for a form."""
    return [
        {
            "name": kind.name,
            "fields": [
                {
                    "name": _camel(one.name),
                    "default": None if one.default is dataclasses.MISSING else one.default,
                    **one.metadata["bounds"].describe(),
                }
                for one in dataclasses.fields(kind)
            ],
        }
        for kind in _ALL
    ]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
