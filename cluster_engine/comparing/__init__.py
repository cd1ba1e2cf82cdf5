"""Two runs side by side: what they have in common, and where the second says something else.

Theory of operation. Everything here is a function of two lists of journal entries (and, where somebody has asked for
them, of what each etcd held in the end). Entries are compared by what they say, never by what no two runs share: keys
and nonces, ids, ports, versions, lengths, times. Two steps:

1. The common part: from the beginning, entry by entry, as long as both say the same.
2. What comes after is aligned by object and conversation. Entries that say the same of the same object between the
   same two are of one *strand* ("the scheduler binds Pod web-1"); in each strand what begins and what ends equally
   belongs together, then what both say once, and of the rest the first to the first, the second to the second. An
   answer belongs to the answer of the request that its request belongs to.

So each entry is in one row: in `both`, only in `a`, only in `b`, or it `differs` in some facts. Rows stand in the order
of virtual time. Names that a server chose (`generateName`) are the n-th of their prefix. Heartbeats are left out unless
asked for. All of it is linear in the entries, but for sorting the rows.

    names      names that a server chose, as the n-th of their prefix
    saying     what an entry says: its strand, and its facts
    aligning   the common part, and rows
    writing    what was written to an object, as facts of the request that had it written
    ending     the objects that stand differently in the end
    telling    differences in words
    reporting  all of it as one document, with its bounds

Bodies are seen as far as somebody has asked for the histories of the objects that end differently. Other than that two
PATCHes of one object, with other numbers in them, say the same here.

    report(Run(entries), Run(others))
    -> {"common": {"entries": 1503, …}, "rows": [{"is": "differs", "say": "in B the Binding of Pod default/web-… …"}]}
"""

from cluster_engine.comparing.reporting import ENTRIES_MAX, ROWS_MAX, Run, report, unlike

__all__ = ["ENTRIES_MAX", "ROWS_MAX", "Run", "report", "unlike"]
