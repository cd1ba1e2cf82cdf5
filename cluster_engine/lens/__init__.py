"""The lens: turns captured bytes into messages, and says what each of them led to.

It is passive. It hears what a tap hears (`world.tap`) and writes a journal; nothing it does reaches the world, and no
component ever tells it anything. The way of the bytes, one module a step:

    segment ─ tcp ─▸ stream ─ tls ─▸ plain bytes ─ http1 | http2 ─▸ exchange ─▸ entry in the journal
              └ SYN, FIN, RST       └ handshake                    └ kubernetes, etcd, cri: what it means
                                                                   └ causes: what it follows from

`link` follows a connection, `recognition` tells what it speaks, and `protocols` has a parser for that; each parser is
given a `conversation`, in which it says what it has read. `scribe` writes that down, each entry with the `evidence`
from which `opening` makes what the browser is shown. `lens.Lens` is the whole of it; it writes a `journal.Journal`.
"""

from cluster_engine.lens.lens import Lens

__all__ = ["Lens"]
