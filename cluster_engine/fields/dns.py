"""DNS messages (RFC 1035), with SRV (RFC 2782), AAAA (RFC 3596) and EDNS (RFC 6891).

    12 34 01 00 00 01 00 00 00 00 00 00        id, flags, one question, no answers
    03 web 07 default … 00  00 01  00 01       name label by label, type A, class IN

A name may end in a pointer to where the rest of it stood before: c0 0c is "as from byte 12 on".
"""

import ipaddress
from collections.abc import Callable, Mapping

from cluster_engine.fields.field import Field
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.lens.unreadable import Unreadable

LABELS_MAX = 128
POINTER, NAME_CHARS_MAX = 0xC0, 255
TYPES = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    12: "PTR",
    15: "MX",
    16: "TXT",
    28: "AAAA",
    33: "SRV",
    41: "OPT",
    255: "ANY",
}
OPT = 41
CLASSES = {1: "IN", 3: "CH", 254: "NONE", 255: "ANY"}
OPCODES = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE"}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
BITS = ((0x0400, "AA"), (0x0200, "TC"), (0x0100, "RD"), (0x0080, "RA"), (0x0020, "AD"), (0x0010, "CD"))


def message(data: bytes) -> tuple[Field, ...]:
    """Dissect a DNS message."""
    return dissected(data, _message)


def _message(stretch: Stretch) -> None:
    stretch.number("dns.id", 2, hexadecimal=True)
    flags = int.from_bytes(stretch.peek(2))
    stretch.take("dns.flags", 2, _flags(flags))
    questions = stretch.number("dns.question_count", 2)
    answers = stretch.number("dns.answer_count", 2)
    authorities = stretch.number("dns.authority_count", 2)
    additionals = stretch.number("dns.additional_count", 2)
    for _ in range(questions):
        with stretch.group("dns.question") as question:
            name = _name(question)
            kind = question.number("dns.type", 2, TYPES)
            question.number("dns.class", 2, CLASSES)
            question.value = f"{name} {TYPES.get(kind, kind)}"
    for _ in range(answers):
        with stretch.group("dns.answer") as record:
            _record(record)
    for _ in range(authorities):
        with stretch.group("dns.authority") as record:
            _record(record)
    for _ in range(additionals):
        with stretch.group("dns.additional") as record:
            _record(record)


def _flags(flags: int) -> str:
    opcode, rcode = flags >> 11 & 0xF, flags & 0xF
    bits = [name for bit, name in BITS if flags & bit]
    return " ".join(
        [
            f"0x{flags:04x}",
            f"QR={flags >> 15}",
            OPCODES.get(opcode, f"opcode={opcode}"),
            *bits,
            RCODES.get(rcode, f"rcode={rcode}"),
        ]
    )


def _record(record: Stretch) -> None:
    name = _name(record)
    kind = record.number("dns.type", 2, TYPES)
    called = TYPES.get(kind, str(kind))
    if kind == OPT:
        record.number("dns.udp_payload_size", 2)
        record.take("dns.extended_flags", 4)
        record.value = called
    else:
        record.number("dns.class", 2, CLASSES)
        record.take("dns.ttl", 4, f"{int.from_bytes(record.peek(4))} s")
    length = record.number("dns.data_length", 2)
    if not length:
        return
    with record.within("dns.data", length) as data:
        read = _DATA.get(kind)
        if read is None:
            data.take("dns.data_bytes", len(data))
        else:
            data.value = read(data)
            record.value = f"{name} {called} {data.value}"


def _address(data: Stretch) -> str:
    size = len(data)
    if size not in (4, 16):
        raise Unreadable(f"an address of {size} bytes")
    address = str(ipaddress.ip_address(data.peek(size)))
    data.take("dns.address", size, address)
    return address


def _service(data: Stretch) -> str:
    numbers = [data.number("dns.priority", 2), data.number("dns.weight", 2), data.number("dns.port", 2)]
    return " ".join([*map(str, numbers), _name(data)])


def _exchange(data: Stretch) -> str:
    preference = data.number("dns.preference", 2)
    return f"{preference} {_name(data)}"


def _texts(data: Stretch) -> str:
    found = []
    while data:
        length = data.peek(1)[0]
        with data.within("dns.text", 1 + length) as text:
            text.number("dns.text_length", 1)
            text.value = text.text("dns.text_characters", len(text))
            found.append(text.value)
    return " ".join(found)


def _start_of_authority(data: Stretch) -> str:
    primary, mailbox = _name(data), _name(data)
    serial = data.number("dns.serial", 4)
    data.number("dns.refresh", 4)
    data.number("dns.retry", 4)
    data.number("dns.expire", 4)
    data.number("dns.negative_ttl", 4)
    return f"{primary} {mailbox} {serial}"


def _name(stretch: Stretch) -> str:
    """Read a name, and give it as text."""
    with stretch.group("dns.name") as name:
        name.value = named = _name_at(stretch.data, stretch.at, stretch.end)
        while True:
            length = (name.peek(1) or b"\0")[0]
            if length & POINTER == POINTER:
                target = int.from_bytes(name.peek(2)) & 0x3FFF
                name.take("dns.pointer", 2, f"{target} {_name_at(name.data, target, name.at)}")
                return named
            if length & POINTER:
                raise Unreadable("neither a label nor a pointer")
            if not length:
                name.take("dns.root", 1, ".")
                return named
            with name.within("dns.label", 1 + length) as label:
                label.number("dns.label_length", 1)
                label.value = label.text("dns.label_text", len(label))
    raise Unreadable("a name that cannot be read")


def _name_at(data: bytes, at: int, end: int) -> str:
    """Return the name that begins there; each pointer must lead back (RFC 1035 4.1.4)."""
    labels: list[str] = []
    size = 0
    for _ in range(LABELS_MAX):
        if at >= end or size > NAME_CHARS_MAX:
            break
        length = data[at]
        if length & POINTER == POINTER:
            target = int.from_bytes(data[at : at + 2]) & 0x3FFF
            if target >= at:
                break
            at = target
            continue
        if not length or length & POINTER:
            break
        labels.append(data[at + 1 : at + 1 + length].decode("utf-8", "replace"))
        size += 1 + length
        at += 1 + length
    return ".".join(labels) or "."


_DATA: Mapping[int, Callable[[Stretch], str]] = {
    1: _address,
    2: _name,
    5: _name,
    6: _start_of_authority,
    12: _name,
    15: _exchange,
    16: _texts,
    28: _address,
    33: _service,
}
