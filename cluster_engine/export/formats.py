"""The formats by name."""

from collections.abc import Callable, Iterator

from cluster_engine.export.audit import audit
from cluster_engine.export.html import html
from cluster_engine.export.jsonl import jsonl
from cluster_engine.export.keylog import keylog
from cluster_engine.export.mermaid import mermaid
from cluster_engine.export.otlp import otlp
from cluster_engine.export.pcapng import pcapng
from cluster_engine.export.selection import Context, Selection
from cluster_engine.journal import Journal

Format = Callable[[Journal, Selection, Context], Iterator[bytes]]

FORMATS: dict[str, Format] = {
    "html": html,
    "jsonl": jsonl,
    "pcapng": pcapng,
    "keylog": keylog,
    "mermaid": mermaid,
    "otlp": otlp,
    "audit": audit,
}
