"""Which objects stand differently in the end, by kubectl's columns, or by being there at all.

    Deployment default/web   a: Ready 3/3     b: Ready 5/5
    Pod default/web-…4       a: none          b: there

What each etcd held is asked of `state` (its view `objects`) by whoever compares. Of a run that can no longer be asked
the journal says which objects were there, by etcd's events, and nothing more. Left out: Events, Leases, and columns
that are about time.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cluster_engine.comparing.names import DATE, Names
from cluster_engine.journal import Entry
from cluster_engine.words.sentences import KINDS

LEFT_OUT = frozenset({"events", "leases"})
COLUMNS_LEFT_OUT = frozenset({"Name", "Age", "IP", "Last Seen", "First Seen"})
AGO = re.compile(r" \([^()]* ago\)")

Subject = tuple[str, str, str]
"""Resource, namespace and name, the name as `Names.plain` has it."""


class Standing(NamedTuple):
    """An object that stood in the end."""

    kind: str
    name: str
    cells: Mapping[str, str] | None


class Ending(NamedTuple):
    """An object that stands differently: in which columns, or in one run only."""

    subject: Subject
    a: Standing | None
    b: Standing | None
    columns: list[tuple[str, str, str]]


def standing_by_state(answer: Mapping[str, Any], names: Names) -> dict[Subject, Standing]:
    """Read an answer of the view `objects`."""
    found = {}
    for kind in answer["kinds"]:
        if kind["resource"] in LEFT_OUT:
            continue
        columns = [column["name"] for column in kind["columns"]]
        for row in kind["rows"]:
            cells = dict(zip(columns, row["cells"], strict=False)) if not row["gone"] else None
            subject = (kind["resource"], row["namespace"], names.plain(row["name"]))
            found[subject] = Standing(kind["kind"], row["name"], cells)
    return found


def standing_by_events(entries: Iterable[Entry], names: Names) -> dict[Subject, Standing]:
    """Say which objects were there, by what etcd told its watchers."""
    found: dict[Subject, Standing] = {}
    for entry in entries:
        fields = entry["fields"]
        resource, name = fields.get("resource"), fields.get("name")
        if entry["kind"] != "etcd.event" or not resource or not name or resource in LEFT_OUT:
            continue
        subject = (resource, fields.get("namespace", ""), names.plain(name))
        if fields.get("type") == "DELETE":
            found.pop(subject, None)
        else:
            found[subject] = Standing(KINDS.get(resource, resource), name, None)
    return found


def endings(
    a: Mapping[Subject, Standing], b: Mapping[Subject, Standing], names_a: Names, names_b: Names
) -> Iterator[Ending]:
    """Give the objects that stand differently, or in one run only: those of the first run, then the other's."""
    for subject in {**a, **b}:
        one, other = a.get(subject), b.get(subject)
        if one is None or other is None:
            yield Ending(subject, one, other, [])
        elif columns := list(_columns(one, other, names_a, names_b)):
            yield Ending(subject, one, other, columns)


def _columns(a: Standing, b: Standing, names_a: Names, names_b: Names) -> Iterator[tuple[str, str, str]]:
    if a.cells is None or b.cells is None:
        return
    for column in {**a.cells, **b.cells}:
        was, now = AGO.sub("", a.cells.get(column, "")), AGO.sub("", b.cells.get(column, ""))
        if DATE.sub("", names_a.plain(was)) != DATE.sub("", names_b.plain(now)) and column not in COLUMNS_LEFT_OUT:
            yield column, was, now
