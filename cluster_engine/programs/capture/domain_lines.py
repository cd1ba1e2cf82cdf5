"""DNS messages as tcpdump prints them (print-domain.c, 4.99.3).

1234+ A? web.default.svc.cluster.local.       a question; + where recursion is desired
1234*- 1/0/0 A 10.96.0.7                      an answer; * authoritative, - no recursion; how many records of each part
"""

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

TEXT_MAX = 256


def line(raw: bytes, verbose: int) -> str:
    """Return what a DNS message says; "" where the bytes are none. `verbose`: how many v's."""
    try:
        message = dns.message.from_wire(raw, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return ""
    asked = "".join(f" {dns.rdatatype.to_text(one.rdtype)}? {one.name}" for one in message.question)
    if not message.flags & dns.flags.QR:
        return f"{message.id}{'+' if message.flags & dns.flags.RD else ''}{asked}"
    said = f"{message.id}{_flags(message)}"
    if verbose > 1:
        said += f" q:{asked}"
    counts = "/".join(
        str(sum(len(one) for one in part)) for part in (message.answer, message.authority, message.additional)
    )
    answers = [
        f"{f' {one.name}' if verbose else ''}{_lifetime(one.ttl) if verbose > 2 else ''} "
        f"{dns.rdatatype.to_text(one.rdtype)} {_printable(item.to_text())}"
        for one in message.answer
        for item in one
    ]
    return f"{said} {counts}{','.join(answers)}"


def _flags(message: dns.message.Message) -> str:
    code = message.rcode()
    names = {dns.rcode.NXDOMAIN: " NXDomain", dns.rcode.SERVFAIL: " ServFail", dns.rcode.REFUSED: " Refused"}
    failed = "" if code == dns.rcode.NOERROR else names.get(code, f" {dns.rcode.to_text(code)}")
    authoritative = "*" if message.flags & dns.flags.AA else ""
    unavailable = "" if message.flags & dns.flags.RA else "-"
    return f"{failed}{authoritative}{unavailable}" + ("|" if message.flags & dns.flags.TC else "")


def _lifetime(seconds: int) -> str:
    """As util-print.c, unsigned_relts_print, has it: [1h2m3s]."""
    if not seconds:
        return " [0s]"
    text = ""
    for unit, size in (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return f" [{text}]"


def _printable(text: str) -> str:
    return "".join(char if 32 <= ord(char) <= 126 else "." for char in text)[:TEXT_MAX]
