"""The journal: everything that was seen, as one append-only, gap-free, numbered line of entries, and where it lies.

    journal   the numbered line: append, since, subscribe; what lies beside an entry, as bytes
    kept      the numbered lines beside it: packets, and lines of key logs
    spool     where all these bytes lie: memory or anonymous files, bounded
    recent    a dict with a bound, for whoever remembers what was seen for a while

Nothing here knows what an entry means or what its evidence holds: that is the lens' (`lens.opening`).
"""

from cluster_engine.journal.journal import DISK_BYTES_MAX, Entry, Journal

__all__ = ["DISK_BYTES_MAX", "Entry", "Journal"]
