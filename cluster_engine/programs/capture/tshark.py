"""tshark -r: what is in a capture file, read up to HTTP; with a key log, also what TLS has hidden.

    tshark -r a.pcap -o tls.keylog_file:/tmp/keys -Y http2
       16   0.002000   10.0.0.100 → 10.0.0.1     HTTP2 192 HEADERS[5]: GET /api/v1/nodes?limit=500

-T fields -e NAME prints fields, -V the facts of each packet. `-o tls.keys_list:…` and `-o uat:rsa_keys:…` give private
keys (`keys`), `-o tls.debug_file:-` has it say what opened each connection, or why nothing did. Modelled on TShark
4.0.17; it reads what the lens reads (`dissection`). Left out: live captures (tcpdump has them), -w, -z, -T json,
profiles, most fields.
"""

from collections.abc import Iterator

from cluster_engine.programs.capture import pcap
from cluster_engine.programs.capture.display_filter import Condition, DisplayFilterError, condition_of
from cluster_engine.programs.capture.dissection import KNOWN_FIELDS, Dissection, Row
from cluster_engine.programs.capture.keys import Keys, explained
from cluster_engine.programs.capture.packets import COOKED, ETHERNET, Packet, packet_of
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.options import OptionError, read_options
from cluster_engine.programs.streams import read_file

SHORT = "r:o:Y:R:T:e:E:c:d:nVvhtq2N:"
VERSION = "TShark (Wireshark) 4.0.17."


class TsharkError(Exception):
    """What tshark says after its name, and the code that it ends with."""

    def __init__(self, text: str, code: int = 2) -> None:
        super().__init__(text)
        self.code = code


async def tshark(invocation: Invocation) -> int:
    """Run tshark."""
    try:
        options, words = read_options("tshark", invocation.argv[1:], SHORT, {"version": "v", "help": "h"})
        values = dict(options)
        if set(values) & {"v", "h"}:
            invocation.out(f"{VERSION}\n")
            return 0
        if "r" not in values:
            raise TsharkError("There is no capturing here; write a file with tcpdump -w, and read it with -r FILE.")
        condition = condition_of(values.get("Y") or " ".join(words) or "frame.number")
        fields = _fields(values, [value for letter, value in options if letter == "e"])
        keys = _keys(invocation, [value for letter, value in options if letter == "o"])
        reader = _reader(invocation, values["r"])
        dissection = Dissection(keys.log, keys.private)
        found = (dissection.row(record, packet) for record, packet in _packets(reader))
        try:
            await _print(invocation, found, condition, values, fields)
        finally:
            _explain(invocation, keys, dissection)
    except OptionError as problem:
        invocation.err(f"{problem}\n")
        return 1
    except (DisplayFilterError, TsharkError) as problem:
        invocation.err(f"tshark: {problem}\n")
        return getattr(problem, "code", 2)
    except pcap.PcapError as problem:
        said = f'The file "{values["r"]}" appears to have been cut short in the middle of a packet.'
        invocation.err(f"tshark: {said}\n  ({problem})\n")
        return 2
    return 0


def _fields(values: dict[str, str], names: list[str]) -> list[str]:
    kind = values.get("T", "text")
    if kind not in ("fields", "text"):
        raise TsharkError(f'Invalid -T parameter "{kind}"; it must be one of:\n\t"fields"\n\t"text"', 1)
    if names and kind != "fields":
        raise TsharkError('Output fields were specified with "-e", but "-Tek, -Tfields, -Tjson or -Tpdml" was not.', 1)
    if kind == "fields" and not names:
        raise TsharkError('"-Tfields" was specified, but no fields were specified with "-e".', 1)
    if unknown := [name for name in names if name not in KNOWN_FIELDS]:
        raise TsharkError("Some fields aren't valid:" + "".join(f"\n\t{name}" for name in unknown), 1)
    return names


def _keys(invocation: Invocation, preferences: list[str]) -> Keys:
    keys = Keys()
    for preference in preferences:
        if not keys.take(invocation, preference):
            raise TsharkError(f'-o flag "{preference}" specifies unknown preference', 1)
    for warning in keys.warnings:
        invocation.err(f"tshark: {warning}\n")
    return keys


def _explain(invocation: Invocation, keys: Keys, dissection: Dissection) -> None:
    """Write the debug file, if one is wanted."""
    if not keys.debug_path:
        return
    text = "".join(explained(dissection.trial, dissection.recordings()))
    if keys.debug_path == "-":
        invocation.err(text)
        return
    try:
        invocation.files.write(invocation.absolute(keys.debug_path), text.encode())
    except OSError as error:
        invocation.err(f"tshark: {keys.debug_path}: {error.strerror}\n")


def _reader(invocation: Invocation, path: str) -> pcap.Reader:
    try:
        reader = pcap.Reader(read_file(invocation.files, invocation.absolute(path)))
    except OSError as error:
        said = "doesn't exist" if isinstance(error, FileNotFoundError) else "could not be opened"
        raise TsharkError(f'The file "{path}" {said}.') from None
    except pcap.PcapError:
        raise TsharkError(f'The file "{path}" isn\'t a capture file in a format TShark understands.') from None
    if reader.link not in (ETHERNET, COOKED):
        raise TsharkError(f'The file "{path}" has a link type that is not known here.')
    return reader


def _packets(reader: pcap.Reader) -> Iterator[tuple[pcap.Record, Packet | None]]:
    for record in reader.records():
        yield record, packet_of(record.data, record.size, reader.link)


async def _print(
    invocation: Invocation, found: Iterator[Row], condition: Condition, values: dict[str, str], names: list[str]
) -> None:
    count = values.get("c", "")
    if count and not (count.isascii() and count.isdigit() and len(count) < 10 and int(count)):
        raise TsharkError(f'The specified packet count "{count}" isn\'t a decimal number', 1)
    for row in found:
        if condition(row.fields):
            if names:
                invocation.out("\t".join(_field(row, name) for name in names) + "\n")
            else:
                invocation.out("\n".join(_tree(row)) + "\n\n" if "V" in values else f"{_line(row)}\n")
        await invocation.drain()
        if count and row.number >= int(count):
            return


def _line(row: Row) -> str:
    ends = f"{row.source:>12} → {row.destination:<12}"
    return f"{row.number:5} {row.at:10.6f} {ends} {row.protocol} {row.size} {row.info}"


def _field(row: Row, name: str) -> str:
    found = row.fields.get(name)
    if found is None:
        return ""
    if name == "frame.time_relative":
        return f"{row.at:.9f}"
    return ",".join(map(str, found)) if found else name


def _tree(row: Row) -> Iterator[str]:
    size = f"{row.size} bytes on wire ({row.size * 8} bits)"
    yield f"Frame {row.number}: {size}"
    yield f"    [Time since reference or first frame: {row.at:.9f} seconds]"
    yield f"Internet Protocol Version 4, Src: {row.source}, Dst: {row.destination}"
    get = row.fields.get
    for name, title in (("tcp", "Transmission Control Protocol"), ("udp", "User Datagram Protocol")):
        if name in row.fields:
            ports = [(get(f"{name}.{end}") or [0])[0] for end in ("srcport", "dstport")]
            more = f", Seq: {(get('tcp.seq') or [0])[0]}, Len: {(get('tcp.len') or [0])[0]}" if name == "tcp" else ""
            yield f"{title}, Src Port: {ports[0]}, Dst Port: {ports[1]}{more}"
    for name, facts in row.facts:
        yield name
        yield from (f"    {key}: {_fact(value)}" for key, value in facts.items() if value is not None)


def _fact(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
