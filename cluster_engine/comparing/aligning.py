"""Which entry of one run belongs to which of another: the common part, and the rows after it.

    a: …, scale to 3, GET, 200          common: …
    b: …, scale to 5, GET, 200, POST    rows:   (scale to 3, scale to 5), (GET, GET), (200, 200), (-, POST)

Comparing b with a gives the same rows the other way round.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, zip_longest
from typing import NamedTuple

from cluster_engine.comparing.names import Names
from cluster_engine.comparing.saying import Facts, Saying, saying
from cluster_engine.journal import Entry

Pair = tuple[int | None, int | None]


class Side:
    """One run as it is compared: its entries, and what each says."""

    def __init__(self, entries: Sequence[Entry], names: Names, written: Mapping[int, Facts] | None = None) -> None:
        self.entries = entries
        self.names = names
        self.sayings: list[Saying] = [saying(entry, names) for entry in entries]
        for place, entry in enumerate(entries):
            if written and entry["seq"] in written:
                self.sayings[place].facts.update(written[entry["seq"]])
        self._requests = dict(_requests(entries))

    def request_of(self, place: int) -> int | None:
        """Return the place of what an entry answers or ends, None where it does neither of anything here."""
        return self._requests.get(place)


def _requests(entries: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    """Give the places of answers with those of their requests, of a command's end with that of its start."""
    places = {entry["seq"]: place for place, entry in enumerate(entries)}
    typed: dict[tuple[str, str], int] = {}
    for place, entry in enumerate(entries):
        line = entry["from"], str(entry["fields"].get("line"))
        if entry["kind"] == "command.started":
            typed[line] = place
        request = typed.get(line) if entry["kind"] == "command.finished" else places.get(entry.get("replyTo"))
        if request is not None:
            yield place, request


class Row(NamedTuple):
    """Places of two entries that belong together; None where the run has none."""

    a: int | None
    b: int | None


def common_part(a: Side, b: Side) -> int:
    """Count the entries, from the first, that say the same in both."""
    pairs = enumerate(zip(a.sayings, b.sayings, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(a.sayings), len(b.sayings)))


def rows(a: Side, b: Side, common: int) -> list[Row]:
    """Align what comes after the common part, in the order of virtual time."""
    found = list(_of_strands(a, b, common))
    return sorted(found, key=lambda row: _place_in_time(row, a, b))


def _of_strands(a: Side, b: Side, common: int) -> Iterator[Row]:
    """Match strand by strand; answers as soon as it is known which requests belong together."""
    answers: tuple[list[int], list[int]] = ([], [])
    strands: dict[tuple[str, ...], tuple[list[int], list[int]]] = {}
    for which, side in enumerate((a, b)):
        for place in range(common, len(side.entries)):
            if side.request_of(place) is not None:
                answers[which].append(place)
            else:
                strands.setdefault(side.sayings[place].strand, ([], []))[which].append(place)
    asked: tuple[dict[int, str], dict[int, str]] = ({}, {})
    for mine, others in strands.values():
        for row in _matched(a, b, mine, others):
            _note(row, asked)
            yield row
    yield from _of_answers(a, b, common, answers, asked)


def _of_answers(
    a: Side, b: Side, common: int, answers: tuple[list[int], list[int]], asked: tuple[dict[int, str], dict[int, str]]
) -> Iterator[Row]:
    exchanges: dict[tuple[str, ...], tuple[list[int], list[int]]] = {}
    for which, side in enumerate((a, b)):
        for place in answers[which]:
            request = side.request_of(place)
            assert request is not None, "an answer has its request here"
            of = f"common {request}" if request < common else asked[which].get(request, f"{which} {request}")
            exchanges.setdefault((side.sayings[place].strand[0], of), ([], []))[which].append(place)
    for mine, others in exchanges.values():
        yield from _matched(a, b, mine, others)


def _note(row: Row, asked: tuple[dict[int, str], dict[int, str]]) -> None:
    """Remember that two requests belong together."""
    if row.a is not None and row.b is not None:
        asked[0][row.a] = asked[1][row.b] = f"pair {row.a}"


def _matched(a: Side, b: Side, mine: list[int], others: list[int]) -> Iterator[Row]:
    """Match entries of one strand: what begins equally, what ends equally, and the rest by what is said once."""
    shorter = min(len(mine), len(others))

    def same(place: int) -> bool:
        return a.sayings[mine[place]].facts == b.sayings[others[place]].facts

    begin = next((place for place in range(shorter) if not same(place)), shorter)
    end = next((place for place in range(shorter - begin) if not same(-1 - place)), shorter - begin)
    yield from map(Row, mine[:begin], others[:begin])
    yield from _between(a, b, mine[begin : len(mine) - end], others[begin : len(others) - end])
    yield from map(Row, mine[len(mine) - end :], others[len(others) - end :])


def _between(a: Side, b: Side, mine: list[int], others: list[int]) -> Iterator[Row]:
    """Match what each run says once, where it crosses nothing else of that sort; what is between, one by one."""
    since_a = since_b = 0
    for place_a, place_b in [*_anchors(a, b, mine, others), (len(mine), len(others))]:
        yield from map(Row._make, zip_longest(mine[since_a:place_a], others[since_b:place_b]))
        yield from map(Row, mine[place_a : place_a + 1], others[place_b : place_b + 1])
        since_a, since_b = place_a + 1, place_b + 1


def _anchors(a: Side, b: Side, mine: list[int], others: list[int]) -> Iterator[tuple[int, int]]:
    said_a, said_b = _said_once(a, mine), _said_once(b, others)
    pairs = [(place, said_b[facts]) for facts, place in said_a.items() if facts in said_b]
    before = list(accumulate((other for _, other in pairs), max, initial=-1))
    after = list(accumulate((other for _, other in reversed(pairs)), min, initial=len(others)))[::-1]
    for number, (place, other) in enumerate(pairs):
        if before[number] < other < after[number + 1]:
            yield place, other


def _said_once(side: Side, places: list[int]) -> dict[str, int]:
    """Return what is said once among these, in their order, with which of them says it."""
    said = [repr(sorted(side.sayings[place].facts.items())) for place in places]
    counts = Counter(said)
    return {facts: place for place, facts in enumerate(said) if counts[facts] == 1}


def _place_in_time(row: Row, a: Side, b: Side) -> tuple[float, int, tuple[str, ...]]:
    told = [(side, place) for side, place in ((a, row.a), (b, row.b)) if place is not None]
    seconds = min(instant(side.entries[place]) for side, place in told)
    return seconds, min(place for _, place in told), min(side.sayings[place].strand for side, place in told)


def instant(entry: Entry) -> float:
    """When an entry was there, in virtual seconds; what was lost counts from when it was sent."""
    seconds: float = entry["at"] if entry.get("arrived") is None else entry["arrived"]
    return seconds


def differing(a: Side, b: Side, row: Row) -> list[tuple[str, object, object]]:
    """List the facts in which the two of a row differ, with both values; None where one has none."""
    if row.a is None or row.b is None:
        return []
    mine, others = a.sayings[row.a].facts, b.sayings[row.b].facts
    paths = sorted({**mine, **others})
    return [(path, mine.get(path), others.get(path)) for path in paths if mine.get(path) != others.get(path)]
