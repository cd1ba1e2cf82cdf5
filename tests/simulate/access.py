"""Who may do what, worked out once more from the RBAC objects in etcd's history, with none of the API server's code.

    access = Access(history)
    access.allows(Question("system:kube-scheduler", (), "list", "", "pods"), since=3.0, until=3.2)   {True}

The set holds an answer for every state of the RBAC objects within the time: {True, False} when it changed meanwhile.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.simulate.story import History, Object

KINDS = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class Question:
    """May this user do that? A resource, or else a path."""

    user: str
    groups: tuple[str, ...]
    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


class Access:
    """The RBAC objects of one story, at any time of it."""

    def __init__(self, history: History) -> None:
        self._times: list[float] = []
        self._states: list[dict[str, Object]] = [{}]
        self._known: dict[tuple[int, Question], bool] = {}
        writes = sorted((write for kind in KINDS for write in history.of(kind)), key=lambda write: write.revision)
        for write in writes:
            state = dict(self._states[-1])
            if write.now is None:
                state.pop(write.token, None)
            else:
                state[write.token] = write.now
            self._times.append(write.at)
            self._states.append(state)

    def allows(self, question: Question, since: float, until: float) -> set[bool]:
        """Answer for every state that held at some instant from `since` to `until`."""
        first, last = bisect_left(self._times, since), bisect_right(self._times, until)
        return {self._at(place, question) for place in range(first, last + 1)}

    def _at(self, place: int, question: Question) -> bool:
        key = place, question
        if key not in self._known:
            self._known[key] = MASTERS in question.groups or any(
                _covers(rule, question) for rule in _rules(self._states[place], question)
            )
        return self._known[key]


def _rules(state: dict[str, Object], question: Question) -> Iterator[dict[str, Any]]:
    for token, binding in state.items():
        kind, namespace, _ = token.split("/", 2)
        if kind not in ("rolebindings", "clusterrolebindings"):
            continue
        if kind == "rolebindings" and (not question.resource or namespace != question.namespace):
            continue
        if not any(_is(subject, namespace, question) for subject in binding.get("subjects") or ()):
            continue
        reference = binding["roleRef"]
        place = f"roles/{namespace}" if reference["kind"] == "Role" else "clusterroles/"
        role = state.get(f"{place}/{reference['name']}")
        yield from (role or {}).get("rules") or ()


def _is(subject: dict[str, str], namespace: str, question: Question) -> bool:
    match subject["kind"]:
        case "User":
            return subject["name"] == question.user
        case "Group":
            return subject["name"] in question.groups
    where = subject.get("namespace") or namespace
    return question.user == f"system:serviceaccount:{where}:{subject['name']}"


def _covers(rule: dict[str, Any], question: Question) -> bool:
    if not _has(rule.get("verbs"), question.verb):
        return False
    if not question.resource:
        return any(_is_path(each, question.path) for each in rule.get("nonResourceURLs") or ())
    if not _has(rule.get("apiGroups"), question.group):
        return False
    _, slash, subresource = question.resource.partition("/")
    resources = rule.get("resources") or ()
    if not (_has(resources, question.resource) or (slash and f"*/{subresource}" in resources)):
        return False
    names = rule.get("resourceNames")
    return not names or question.name in names


def _has(values: Any, value: str) -> bool:
    return "*" in (values or ()) or value in (values or ())


def _is_path(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
