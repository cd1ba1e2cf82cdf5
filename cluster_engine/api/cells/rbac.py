"""The cells of role bindings."""

from collections.abc import Callable
from datetime import datetime

from cluster_engine.api.objects import Object


def role(binding: Object, now: datetime) -> str:
    """`ClusterRole/admin`."""
    del now
    found = binding.get("roleRef") or {}
    return f"{found.get('kind', '')}/{found.get('name', '')}"


def _subjects(kind: str, say: Callable[[Object], str]) -> Callable[[Object, datetime], str]:
    return lambda binding, now: ", ".join(
        say(each) for each in binding.get("subjects") or () if each.get("kind") == kind
    )


users = _subjects("User", lambda subject: subject["name"])
groups = _subjects("Group", lambda subject: subject["name"])
service_accounts = _subjects("ServiceAccount", lambda subject: f"{subject.get('namespace', '')}/{subject['name']}")
