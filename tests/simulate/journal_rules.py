"""The journal itself: numbered without a gap, causes and questions before what follows from them, time going on.

    seq 1, 2, 3 …            `cause` and `replyTo` are smaller than `seq`, and there
    arrived (or at, of what  never less than the entry's before it, but for bytes that no key opens, which are told once
    is lost)                 that is certain; `at` never after `arrived`
    an answer                is from whom its question was asked, to who asked it, on the same connection

What the entries say is for the other invariants.
"""

from collections.abc import Iterator

from tests.simulate.story import Entry, Violation

NUMBERED = "the journal has no gap"
CAUSES = "causes come before what follows from them"
TIMES = "the journal's time goes on"
REPLIES = "an answer answers a question"


def unruly(entries: list[Entry]) -> Iterator[Violation]:
    """Judge every entry, and what it refers to."""
    by_seq: dict[int, Entry] = {}
    now = 0.0
    for number, entry in enumerate(entries, entries[0]["seq"] if entries else 1):
        seq = entry["seq"]
        if seq != number:
            yield Violation(NUMBERED, f"{seq} follows {number - 1}", (seq,))
            return
        by_seq[seq] = entry
        for name in ("cause", "replyTo"):
            if entry[name] is not None and not (0 < entry[name] < seq):
                yield Violation(CAUSES, f"the {name} of {seq} is {entry[name]}", (seq,))
        came = entry["at"] if entry["arrived"] is None else entry["arrived"]
        if entry["at"] > came:
            yield Violation(TIMES, f"{seq} arrived at {came}, before it was sent at {entry['at']}", (seq,))
        if came < now and entry["kind"] != "tls.encrypted":
            yield Violation(TIMES, f"{seq} came at {came}, after what came at {now}", (seq,))
        now = max(now, came)
        asked = by_seq.get(entry["replyTo"] or 0)
        if asked is not None and not _answers(entry, asked):
            yield Violation(REPLIES, f"{seq} answers {asked['seq']}, which was not asked of {entry['from']}", (seq,))


def _answers(entry: Entry, asked: Entry) -> bool:
    names = ("connection", "stream")
    return (entry["from"], entry["to"]) == (asked["to"], asked["from"]) and all(entry[n] == asked[n] for n in names)
