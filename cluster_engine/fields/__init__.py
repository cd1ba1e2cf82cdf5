"""Every byte explained: which field of which protocol each byte on the wire belongs to, and what the field is for.

A *dissector* is a pure function from bytes to fields, one module a protocol. It is written with a `Stretch`, which
keeps what it reads in order and in bounds; no exception leaves it.

    content(ALERT, bytes([2, 48]), TLS_1_3)
    -> (Field("tls.alert.level", 0, 1, "2 fatal"), Field("tls.alert.description", 1, 2, "48 unknown_ca"))

The *catalogue* says of each name what it is called, in one sentence what it is for, and where that is written. It is
data, one file a protocol, whose facts lie once:

    fields/sources/tls.toml              "tls.alert.level" = "RFC 8446 6"
    words/en/fields/tls.toml             ["tls.alert.level"]  label = "level"  text = "How severe …"
    words/de/fields/tls.toml             ["tls.alert.level"]  label = "Stufe"  text = "Wie ernst …"

A source is "RFC <number> <section>", or a title and a URL. In code a field's name is always written whole, as one
literal: so `grep` finds where a field comes from, and `tests/engine/fields` compares the catalogue with the code.
Modelled on Wireshark's tree of fields, and on tls13.xargs.org. What no dissector knows stays bytes.
"""

from cluster_engine.fields.field import Field

__all__ = ["Field"]
