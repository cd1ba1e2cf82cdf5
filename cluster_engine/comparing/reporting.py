"""A comparison as one document: what is common, how many rows there are of each sort, the rows, how objects end.

    {"a": {"entries": 1636, "last": 1636}, "b": {…},
     "common": {"entries": 1503, "seconds": 8.0044, "a": 1503, "b": 1503},
     "counts": {"both": 102, "differs": 3, "a": 20, "b": 271}, "first": 0,
     "rows": [{"is": "differs", "object": "Deployment default/web", "say": "in B …",
               "a": {"seq": 1504, "at": 8.0044, "say": "terminal: kubectl scale …"}, "b": {…},
               "fields": [{"path": "line", "a": "…", "b": "…"}]}],
     "objects": [{"say": "Deployment default/web ends differently: Ready is 5/5 in B instead of 3/3", "a": …, "b": …}],
     "summary": ["…"], "cut": {"entries": false, "rows": false}}

Bounds: of each run the first `ENTRIES_MAX` entries that are drawn at the altitude, `ROWS_MAX` rows, `OBJECTS_MAX`
objects, `FIELDS_MAX` facts of a row, `HISTORIES_MAX` histories. What was cut is said.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from cluster_engine.comparing.aligning import Row, Side, common_part, differing, instant, rows
from cluster_engine.comparing.ending import Ending, Standing, Subject, endings, standing_by_events, standing_by_state
from cluster_engine.comparing.names import Names
from cluster_engine.comparing.saying import object_of
from cluster_engine.comparing.telling import Telling, value_of
from cluster_engine.comparing.writing import written
from cluster_engine.journal import Entry

ENTRIES_MAX = 20_000
ROWS_MAX = 2_000
OBJECTS_MAX = 100
FIELDS_MAX = 16
HISTORIES_MAX = 100
LAYERS = ("story", "http", "tls", "tcp")
"""Altitudes, from the top: each shows itself and what is above."""

Document = dict[str, Any]


class Run(NamedTuple):
    """What is known of a run: its entries from the first one on, and what its etcd held after the last, if asked.

    `objects` is the answer of `state`'s view `objects`, `histories` are answers of its view `object`, for what is
    `unlike`. There are `more` entries than those.
    """

    entries: Sequence[Entry]
    objects: Mapping[str, Any] | None = None
    more: bool = False
    histories: Sequence[Mapping[str, Any]] = ()


def unlike(a: Run, b: Run) -> list[tuple[Subject, Subject]]:
    """Name the objects, as each run calls them, whose histories are worth asking for: they end differently in both."""
    found = []
    for subject, one, other in islice(_in_both(_endings(a, b, Names(a.entries), Names(b.entries))), HISTORIES_MAX):
        resource, namespace, _ = subject
        found.append(((resource, namespace, one.name), (resource, namespace, other.name)))
    return found


def _in_both(found: Iterable[Ending]) -> Iterator[tuple[Subject, Standing, Standing]]:
    """Yield those of objects that are there in both runs, and end differently."""
    return ((one.subject, one.a, one.b) for one in found if one.a is not None and one.b is not None)


def report(
    a: Run, b: Run, language: str = "en", *, layer: str = "story", heartbeats: bool = False, everything: bool = False
) -> Document:
    """Compare two runs; `everything`: list the rows too that are in both."""
    drawn = [_drawn(run, layer, heartbeats=heartbeats) for run in (a, b)]
    side_a, side_b = (_side(run, kept[:ENTRIES_MAX]) for run, kept in zip((a, b), drawn, strict=True))
    comparison = _Comparison(side_a, side_b, Telling(language))
    listed = [row for row in comparison.rows if everything or comparison.sort_of(row) != "both"]
    found = _endings(a, b, side_a.names, side_b.names)
    cut = {
        "entries": any(run.more or len(one) > ENTRIES_MAX for run, one in zip((a, b), drawn, strict=True)),
        "rows": len(listed) > ROWS_MAX,
    }
    first = comparison.first()
    return {
        "a": _of(side_a),
        "b": _of(side_b),
        "common": comparison.common_document(),
        "counts": comparison.counts,
        "first": None if first is None else listed.index(first),
        "rows": [comparison.row_document(row) for row in listed[:ROWS_MAX]],
        "objects": [comparison.ending_document(one) for one in found[:OBJECTS_MAX]],
        "summary": list(comparison.summary(a, b, found, cut, len(listed))),
        "cut": cut,
    }


def _drawn(run: Run, layer: str, *, heartbeats: bool) -> list[Entry]:
    """List what is drawn of a run at an altitude, up to one more than is compared."""
    shown = LAYERS[: LAYERS.index(layer) + 1]
    drawn = (one for one in run.entries if one["layer"] in shown and (heartbeats or not one.get("heartbeat")))
    return list(islice(drawn, ENTRIES_MAX + 1))


def _side(run: Run, entries: Sequence[Entry]) -> Side:
    names = Names(run.entries)
    return Side(entries, names, written(run.histories, names))


def _of(side: Side) -> Document:
    return {"entries": len(side.entries), "last": side.entries[-1]["seq"] if side.entries else 0}


def _endings(a: Run, b: Run, names_a: Names, names_b: Names) -> list[Ending]:
    """List the objects that end differently, by what both can say of them."""
    if a.objects is None or b.objects is None:
        one, other = standing_by_events(a.entries, names_a), standing_by_events(b.entries, names_b)
    else:
        one, other = standing_by_state(a.objects, names_a), standing_by_state(b.objects, names_b)
    return list(endings(one, other, names_a, names_b))


class _Comparison:
    """Two sides, aligned, and what is said of them."""

    def __init__(self, a: Side, b: Side, telling: Telling) -> None:
        self._a, self._b, self._telling = a, b, telling
        self._common = common_part(a, b)
        self.rows = rows(a, b, self._common)
        self.counts = dict.fromkeys(("both", "differs", "a", "b"), 0)
        for row in self.rows:
            self.counts[self.sort_of(row)] += 1

    def sort_of(self, row: Row) -> str:
        """Say where the entries of a row are: in `both`, only in `a` or `b`, or in both and it `differs`."""
        if row.a is None or row.b is None:
            return "b" if row.a is None else "a"
        return "both" if self._a.sayings[row.a].facts == self._b.sayings[row.b].facts else "differs"

    def first(self) -> Row | None:
        """Return the first row that is not in both."""
        return next((row for row in self.rows if self.sort_of(row) != "both"), None)

    def common_document(self) -> Document:
        last = self._common - 1
        if last < 0:
            return {"entries": 0, "seconds": 0.0, "a": None, "b": None}
        one, other = self._a.entries[last], self._b.entries[last]
        return {"entries": self._common, "seconds": instant(one), "a": one["seq"], "b": other["seq"]}

    def row_document(self, row: Row) -> Document:
        sort = self.sort_of(row)
        fields = [
            {"path": path, "a": None if a is None else value_of(a), "b": None if b is None else value_of(b)}
            for path, a, b in differing(self._a, self._b, row)[:FIELDS_MAX]
        ]
        return {
            "is": sort,
            "object": self._about(row),
            "say": self._say(row, sort),
            "a": self._cell(self._a, row.a),
            "b": self._cell(self._b, row.b),
            "fields": fields,
        }

    def ending_document(self, ending: Ending) -> Document:
        sort = "differs" if ending.a and ending.b else "b" if ending.a is None else "a"
        return {"is": sort, "object": self._subject(ending), "say": self._telling.ends(ending)}

    def summary(self, a: Run, b: Run, found: Sequence[Ending], cut: Mapping[str, bool], listed: int) -> Iterator[str]:
        """Say in sentences how the runs compare."""
        telling, counts = self._telling, self.counts
        if not self._a.entries and not self._b.entries:
            yield telling.say("summary.nothing")
            return
        different = counts["differs"] + counts["a"] + counts["b"]
        if not self.rows:
            yield telling.counted("summary.same", self._common)
        elif self._common:
            common = self.common_document()
            places = {"a": common["a"], "b": common["b"], "seconds": f"{common['seconds']:.4f}"}
            yield telling.counted("summary.common", self._common, **places)
        else:
            gone = any(run.entries and run.entries[0]["seq"] > 1 for run in (a, b))
            yield telling.say("summary.forgotten" if gone else "summary.apart")
        if different:
            sorts = {"differs": counts["differs"], "only_a": counts["a"], "only_b": counts["b"], "both": counts["both"]}
            yield telling.counted("summary.after", different, **sorts)
        elif self.rows:
            yield telling.say("summary.equal_after", both=counts["both"])
        if (first := self.first()) is not None:
            yield telling.say("summary.first", said=self._say(first, self.sort_of(first)))
        yield telling.counted("summary.ends", len(found)) if found else telling.say("summary.ends_alike")
        if a.objects is None or b.objects is None:
            yield telling.say("summary.ends_by_events")
        if cut["entries"]:
            yield telling.say("summary.entries_cut", most=ENTRIES_MAX)
        if cut["rows"]:
            yield telling.say("summary.rows_cut", most=ROWS_MAX, count=listed)
        unlike = sum(1 for _ in _in_both(found))
        if not a.histories:
            yield telling.say("summary.bodies_asleep" if a.objects is None or b.objects is None else "summary.bodies")
        elif unlike > HISTORIES_MAX:
            yield telling.say("summary.written_cut", most=HISTORIES_MAX, count=unlike)
        else:
            yield telling.say("summary.written")

    def _say(self, row: Row, sort: str) -> str:
        if row.a is not None and row.b is not None:
            one, other = self._a.entries[row.a], self._b.entries[row.b]
            if sort == "both":
                return self._telling.entry(one)
            found = differing(self._a, self._b, row)
            return self._telling.differs(one, other, self._asked(self._a, row.a), found, self._about(row))
        side, place = (self._a, row.a) if row.b is None else (self._b, row.b)
        assert place is not None, "a row has an entry of one run at least"
        return self._telling.say(f"only.{sort}", said=self._telling.entry(side.entries[place]))

    def _asked(self, side: Side, place: int) -> str:
        request = side.request_of(place)
        return "" if request is None else side.entries[request]["label"]

    def _about(self, row: Row) -> str:
        """Name the object of a row, by the n-th of its prefix where the runs have named it differently."""
        told = [
            (side, object_of(side.entries[place], side.names))
            for side, place in ((self._a, row.a), (self._b, row.b))
            if place is not None
        ]
        subjects = {subject for _, subject in told if subject is not None}
        if not subjects:
            return ""
        if len(subjects) == 1:
            return self._telling.about(subjects.pop())
        side, subject = told[0]
        return self._telling.about((*subject[:2], side.names.plain(subject[2]))) if subject else ""

    def _subject(self, ending: Ending) -> str:
        standing = ending.a or ending.b
        assert standing is not None, "an ending is of an object that is there in one of the runs"
        named = {one.name for one in (ending.a, ending.b) if one is not None}
        resource, namespace, plain = ending.subject
        return self._telling.about((resource, namespace, named.pop() if len(named) == 1 else plain), standing.kind)

    def _cell(self, side: Side, place: int | None) -> Document | None:
        if place is None:
            return None
        entry = side.entries[place]
        return {"seq": entry["seq"], "at": instant(entry), "say": self._telling.entry(entry)}
