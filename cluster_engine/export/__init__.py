"""Ways in which a run leaves the building: each a pure function of (journal, selection, context) to a stream of bytes.

    html      the page itself with the run in it, one file that plays without a server
    jsonl     every entry with its sentence, a line each
    pcapng    what crossed the wires, with the keys inside, for Wireshark
    keylog    the keys alone
    mermaid   a sequence diagram as text, for documents
    otlp      spans with their causes, for what reads OpenTelemetry
    audit     the lines of the Kubernetes audit log

    b"".join(FORMATS["pcapng"](journal, Selection(connection=17), Context()))

A stream yields b"" now and then while it finds nothing, so that whoever reads it can let others go on (`slices`).
"""
