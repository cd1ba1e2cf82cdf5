"""A sequence diagram as text (mermaid.js.org), for documents that draw it themselves: the story's messages and notes.

    sequenceDiagram
        participant p1 as workstation/kubectl
        participant p2 as control-plane/kube-apiserver
        p1->>p2: POST deployments
        p2-->>p1: 201 Created

Housekeeping is left out, and what lies below the story (TLS, TCP); so is everything after `ARROWS_MAX` messages, which
the last line says: nobody reads a longer one.
"""

from collections.abc import Iterator

from cluster_engine.export.selection import Context, Selection, entries
from cluster_engine.journal import Entry, Journal

ARROWS_MAX = 500
ANSWERS = ("http.response", "grpc.response", "dns.response")
NEWS = ("watch.event", "etcd.event", "grpc.message", "websocket.message", "raft.message")


def mermaid(journal: Journal, selection: Selection, context: Context) -> Iterator[bytes]:
    """Yield the diagram, a line at a time; participants where they first speak."""
    del context
    yield b"sequenceDiagram\n"
    names: dict[str, str] = {}
    arrows = left = 0
    for entry in entries(journal, selection):
        if entry is None or entry["layer"] != "story" or entry["heartbeat"] or entry["kind"].startswith("process."):
            yield b""
        elif arrows == ARROWS_MAX:
            left += 1
            yield b""
        else:
            arrows += 1
            yield "".join(f"    {line}\n" for line in _lines(entry, names)).encode()
    if left:
        yield f"    Note over p1: … and {left} more\n".encode()


def _lines(entry: Entry, names: dict[str, str]) -> Iterator[str]:
    ends = [one for one in (entry["from"], entry["to"]) if one is not None]
    for end in ends:
        if end not in names:
            names[end] = f"p{len(names) + 1}"
            yield f"participant {names[end]} as {_escaped(end)}"
    label = _escaped(entry["label"])
    if len(ends) == 1:
        yield f"Note over {names[ends[0]]}: {label}"
        return
    lost = entry["arrived"] is None
    arrow = "-x" if lost else "-->>" if entry["kind"] in ANSWERS else "-)" if entry["kind"] in NEWS else "->>"
    yield f"{names[ends[0]]}{arrow}{names[ends[1]]}: {label}"


def _escaped(text: str) -> str:
    """Write characters that Mermaid would take for its own as its entity codes."""
    safe = "".join(f"#{ord(one)};" if one in '#;<>"&%' else one if one.isprintable() else " " for one in text)
    return safe.strip() or "…"
