"""The cells of CertificateSigningRequests, from `pkg/printers/internalversion/printers.go`."""

from datetime import datetime, timedelta

from cluster_engine.api.cells.common import NONE, status_of
from cluster_engine.api.objects import Object
from cluster_engine.api.time import age


def requested_duration(request: Object, now: datetime) -> str:
    """How long the certificate is wanted."""
    del now
    seconds = (request.get("spec") or {}).get("expirationSeconds")
    return NONE if seconds is None else age(timedelta(seconds=seconds))


def condition(request: Object, now: datetime) -> str:
    """What became of the request: Pending, or `Approved,Issued`."""
    del now
    status = status_of(request)
    types = {each.get("type") for each in status.get("conditions") or ()}
    said = ["Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"]
    said += ["Failed"] if "Failed" in types else []
    said += ["Issued"] if status.get("certificate") else []
    return ",".join(said)
