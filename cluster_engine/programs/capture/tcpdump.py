"""tcpdump: what passes an interface of this host, or lies in a capture file, a line a packet.

    tcpdump -i eth0 -nn port 6443            10:00:00.001500 IP 10.0.0.11.32770 > 10.0.0.1.6443: Flags [P.], …
    tcpdump -i any -w /tmp/all.pcap          for `tcpdump -r`, `tshark -r`, or Wireshark

It hears what crosses, of TLS therefore ciphertext. It ends with -c packets, or with Ctrl-C. Modelled on tcpdump 4.99.3.
Left out: -C, -G, -W, -F, -y, -Z, -Q, other link types than Ethernet and Linux's cooked one.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable

from cluster_engine.programs.capture import pcap
from cluster_engine.programs.capture.expressions import Condition, ExpressionError, condition_of
from cluster_engine.programs.capture.lines import Printer, Style
from cluster_engine.programs.capture.listening import ANY, Heard, Listening
from cluster_engine.programs.capture.packets import COOKED, ETHERNET, packet_of
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.network.interfaces import interfaces_of
from cluster_engine.programs.network.sockets import names_of, network
from cluster_engine.programs.options import OptionError, read_options
from cluster_engine.programs.streams import read_file

SHORT = "AbB:c:dDefhHi:IJj:KlLnNOpqr:s:StT:uUvw:xX#"
LONG = {
    "interface=": "i", "list-interfaces": "D", "version": "V", "help": "h", "absolute-tcp-sequence-numbers": "S",
    "snapshot-length=": "s", "no-promiscuous-mode": "p", "packet-buffered": "U", "number": "#", "print": "P",
    "count": "C", "immediate-mode": "", "dont-verify-checksums": "K", "micro": "", "lengths": "",
}  # fmt: skip
VERSION = "tcpdump version 4.99.3\nlibpcap version 1.10.3 (with TPACKET_V3)\n"
USAGE = """Usage: tcpdump [-AdDefhKlnpqStUvxX#] [ -c count ] [--count]
\t\t[ -i interface ] [ --number ] [ --print ] [ -r file ] [ -s snaplen ]
\t\t[ --version ] [ -w file ] [ expression ]
"""
LINKS = {ETHERNET: "EN10MB (Ethernet)", COOKED: "LINUX_SLL2 (Linux cooked v2)"}
SNAPSHOT_MAX = 262_144
COUNT_MAX = 2**31 - 1


class TcpdumpError(Exception):
    """What tcpdump says and ends with code 1."""


class Tcpdump:
    """One run: what was asked for. TcpdumpError."""

    def __init__(self, options: list[tuple[str, str]], words: list[str], invocation: Invocation) -> None:
        self.flags = [letter for letter, _ in options]
        values = dict(options)
        self.invocation = invocation
        self.count = _number(values.get("c"), "packet count", 1, COUNT_MAX)
        snapshot = _number(values.get("s"), "snaplen", 0, SNAPSHOT_MAX)
        self.snapshot_bytes = snapshot or SNAPSHOT_MAX
        self.source, self.target = values.get("r"), values.get("w")
        self.interface = values.get("i", "eth0")
        self.expression = " ".join(words)
        numbers = {one.number: one.name for one in interfaces_of(invocation.process.host)}
        if self.interface.isascii() and self.interface.isdigit() and len(self.interface) < 6:
            self.interface = numbers.get(int(self.interface), self.interface)
        names = names_of(invocation.process.host)
        many = self.flags.count
        self.style = Style(
            times=many("t"),
            numbers=many("n"),
            verbose=many("v"),
            is_quiet="q" in self.flags,
            shows_link="e" in self.flags,
            is_absolute="S" in self.flags,
            is_numbered="#" in self.flags,
            hexadecimal=many("x") + many("X"),
            with_text=many("X"),
            ascii=many("A"),
            name_of=lambda address: names.get(address, address),
            interfaces=numbers,
        )

    def condition(self) -> Condition:
        """Read the expression."""
        host = self.invocation.process.host
        try:
            return condition_of(self.expression, lambda name: network().resolve(host, name))
        except ExpressionError as problem:
            raise TcpdumpError(str(problem)) from None

    # -- printing and writing ------------------------------------------------------------------------------------------

    async def take(self, packets: AsyncIterator[Heard], link: int) -> int:
        """Print or write packets; return how many there were, when as many have come as were asked for."""
        self.seen = 0
        printer = Printer(self.style)
        if self.target is not None:
            self._write(pcap.header(link, self.snapshot_bytes), is_first=True)
        async for heard in packets:
            self.seen += 1
            raw = heard.raw[: self.snapshot_bytes]
            if self.target is not None:
                self._write(pcap.record(pcap.Record(heard.at, raw, len(heard.raw))))
            if "C" not in self.flags and (self.target is None or "P" in self.flags):
                packet = heard.packet if len(raw) == len(heard.raw) else packet_of(raw, len(heard.raw), link)
                self.invocation.out(printer.text(heard.at, packet, raw, link))
            await self.invocation.drain()
            if self.seen == self.count:
                break
        return self.seen

    def _write(self, data: bytes, *, is_first: bool = False) -> None:
        assert self.target is not None
        if self.target == "-":
            self.invocation.out(data)
            return
        path = self.invocation.absolute(self.target)
        files = self.invocation.files
        try:
            files.write(path, data) if is_first else files.append(path, data)
        except OSError as error:
            said = f"{self.target}: {error.strerror}" if is_first else f"Unable to write output: {error.strerror}"
            raise TcpdumpError(said) from None

    # -- where packets come from ---------------------------------------------------------------------------------------

    async def read(self) -> int:
        """Go through a capture file."""
        assert self.source is not None
        try:
            if self.source == "-":
                data = await self.invocation.all()
            else:
                data = read_file(self.invocation.files, self.invocation.absolute(self.source))
            reader = pcap.Reader(data)
        except OSError as error:
            raise TcpdumpError(f"{self.source}: {error.strerror}") from None
        except pcap.PcapError as problem:
            raise TcpdumpError(str(problem)) from None
        if reader.link not in LINKS:
            raise TcpdumpError(f"unsupported data link type {reader.link}")
        said = f"link-type {LINKS[reader.link]}, snapshot length {reader.snapshot_bytes}"
        self.invocation.err(f"reading from file {self.source}, {said}\n")
        condition = self.condition()

        async def heard() -> AsyncIterator[Heard]:
            for one in reader.records():
                packet = packet_of(one.data, one.size, reader.link)
                if (packet is None and not self.expression) or (packet is not None and condition(packet)):
                    yield Heard(one.at, one.data, packet)
                elif one.at % 64 == 0:
                    await self.invocation.drain()

        try:
            number = await self.take(heard(), reader.link)
        except pcap.PcapError as problem:
            raise TcpdumpError(f"pcap_loop: {problem}") from None
        if "C" in self.flags:
            self.invocation.out(f"{_counted(number, 'packet')}\n")
        return 0

    async def listen(self) -> int:
        """Hear what passes, until Ctrl-C or as many packets as were asked for."""
        host = self.invocation.process.host
        if self.interface not in (ANY, *(one.name for one in interfaces_of(host))):
            raise TcpdumpError(f"{self.interface}: No such device exists\n(No such device exists)")
        listening = Listening(self.invocation.process, self.interface, self.condition())
        if listening.link == COOKED:
            self.invocation.err("tcpdump: data link type LINUX_SLL2\n")
        if not self.style.verbose and self.target is None:
            self.invocation.err("tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n")
        begin = "" if not self.style.verbose and self.target is None else "tcpdump: "
        where = f"{self.interface}, link-type {LINKS[listening.link]}, snapshot length {self.snapshot_bytes} bytes"
        self.invocation.err(f"{begin}listening on {where}\n")
        with listening:
            try:
                await self.take(listening, listening.link)
            except asyncio.CancelledError:
                if self.target is None:
                    self.invocation.out("\n")
        self.invocation.err(
            f"{_counted(self.seen, 'packet')} captured\n"
            f"{_counted(listening.received, 'packet')} received by filter\n"
            f"{_counted(listening.dropped, 'packet')} dropped by kernel\n"
        )
        return 0


def _number(text: str | None, what: str, low: int, high: int) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 11 and low <= int(text) <= high):
        if what == "snaplen":
            raise TcpdumpError(f"invalid snaplen {text} (must be >= 0 and <= {high})")
        raise TcpdumpError(f"invalid {what} {text}")
    return int(text)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _devices(names: Iterable[str]) -> str:
    spoken = [name for name in names if name != "lo"]
    lines = [f"{name} [Up, Running, Connected]" for name in spoken]
    lines.append("any (Pseudo-device that captures on all interfaces) [Up, Running]")
    lines.append("lo [Up, Running, Loopback]")
    return "".join(f"{number}.{line}\n" for number, line in enumerate(lines, start=1))


async def tcpdump(invocation: Invocation) -> int:
    """Run tcpdump."""
    try:
        options, words = read_options("tcpdump", invocation.argv[1:], SHORT, LONG)
    except OptionError as problem:
        invocation.err(f"{problem}\n{VERSION}{USAGE}")
        return 1
    letters = {letter for letter, _ in options}
    if letters & {"h", "V"}:
        invocation.out(VERSION + (USAGE if "h" in letters else ""))
        return 0
    if "D" in letters:
        invocation.out(_devices(one.name for one in interfaces_of(invocation.process.host)))
        return 0
    try:
        asked = Tcpdump(options, words, invocation)
        return await (asked.listen() if asked.source is None else asked.read())
    except TcpdumpError as problem:
        invocation.err(f"tcpdump: {problem}\n")
        return 1
