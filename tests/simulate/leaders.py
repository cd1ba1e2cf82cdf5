"""Of equal programs one works: who writes holds the lease, has renewed it in time, and is alone.

    lease kube-scheduler: holder cp_a since 0.0, renewed 2.0, 4.0 … cp_b since 21.7
    a write of cp_a's at 4.5                 right
    a write of cp_a's at 22.0                two leaders
    a write of cp_a's at 19.1, last renewal at 4.0      longer than a lease lasts: whoever comes next may work already

Not judged: leases themselves, events (they may be late), and what a candidate does before it leads.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from tests.simulate.story import Entry, History, Violation
from tests.simulate.traffic import WRITES, Exchange

LEADERS = "only the leader works"
LEASE_SECONDS = 15.0
PREPARING = frozenset({"leases", "events", "serviceaccounts", "subjectaccessreviews", "tokenreviews"})


def usurpers(traffic: Iterable[Exchange], entries: Iterable[Entry], history: History) -> Iterator[Violation]:
    """Judge every write of a program that was elected, or should have been."""
    elected = list(_elected(entries))
    programs = {who: lease for _, who, lease, _ in elected if lease}
    for one in traffic:
        who = one.request["from"]
        if who not in programs or one.verb not in WRITES or one.resource in PREPARING:
            continue
        identity = next((name for at, by, _, name in reversed(elected) if by == who and at <= one.began), "")
        if why := _objection(identity, programs[who], one.began, history):
            yield Violation(LEADERS, f"{who} wrote {one.token} {why}", one.seqs)


def _elected(entries: Iterable[Entry]) -> Iterator[tuple[float, str, str, str]]:
    """Give when who became the leader by which lease as whom; nobody is when it starts."""
    for entry in entries:
        if entry["kind"] == "leader.elected":
            yield entry["at"], entry["from"], entry["fields"]["lease"], entry["fields"]["identity"]
        elif entry["kind"] == "process.started":
            yield entry["at"], entry["from"], "", ""


def _objection(identity: str, lease: str, at: float, history: History) -> str:
    if not identity:
        return "and had not been elected"
    writes = history.about(f"leases/kube-system/{lease}")
    place = bisect_right(writes, at, key=lambda write: write.at)
    held = writes[place - 1] if place else None
    if held is None or held.now is None:
        return "and there was no lease"
    if held.now["spec"]["holderIdentity"] != identity:
        return f"as {identity}, while {held.now['spec']['holderIdentity']} led"
    if at - held.at > LEASE_SECONDS:
        return f"{at - held.at:.1f} s after it had renewed its lease"
    return ""
