"""When the clusters of tests begin.

TLS judges certificates on the real clock and a cluster's live for a year, so a date written down here would fail all
tests some day. This one is the same for half a year: what a test reads of it has a date, and nothing else, to reckon.
"""

from datetime import UTC, datetime, timedelta


def _recent(now: datetime) -> datetime:
    """The first of January or July, at ten in the morning, that came last; two days later at the earliest."""
    then = now - timedelta(days=2)
    return datetime(then.year, 1 if then.month < 7 else 7, 1, 10, tzinfo=UTC)


EPOCH = _recent(datetime.now(UTC))
