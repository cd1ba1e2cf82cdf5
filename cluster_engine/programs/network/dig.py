"""dig, nslookup and host: questions to a name server, and its answers in each tool's form.

    dig +short web.default.svc.cluster.local      10.96.0.7
    nslookup web                                  Name:  web.default.svc.cluster.local   Address: 10.96.0.7
    host web                                      web.default.svc.cluster.local has address 10.96.0.7

Modelled on BIND 9.18. dig asks for a name as it stands (+search: as resolv.conf has it), the others go through its
search list. Left out: several questions at once, +trace, +multiline, DNSSEC, cookies, nslookup's own prompt.
"""

import ipaddress
import re
import socket
from collections.abc import Iterator

import dns.exception
import dns.flags
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import msgspec

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.network.dns_client import (
    Answer,
    Asking,
    NoAnswerError,
    ask,
    configuration,
    query,
    reverse,
)
from cluster_engine.programs.network.sockets import resolve

VERSION = "9.18.49-1~deb12u3-Debian"
EDNS_BYTES = 1232
PARTS = ("cmd", "comments", "question", "answer", "authority", "additional", "stats")
UNREACHED = ";; no servers could be reached"
TTL_COLUMN, CLASS_COLUMN, TYPE_COLUMN, DATA_COLUMN = 24, 32, 40, 48
_NUMBER = re.compile(r"[0-9]{1,4}")


class DigError(Exception):
    """What dig says, and the code that it ends with."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


# -- dig ---------------------------------------------------------------------------------------------------------------


class Asked(msgspec.Struct):
    """What dig was asked for; `parts` are those of PARTS that are printed."""

    name: str = "."
    kind: str = "A"
    server: str = ""
    port: int = 53
    is_short: bool = False
    searches: bool = False
    by_tcp: bool = False
    recursion: bool = True
    timeout: float = 5.0
    tries: int = 3
    parts: set[str] = msgspec.field(default_factory=lambda: set(PARTS))
    warnings: list[str] = msgspec.field(default_factory=list)


def read(words: list[str]) -> Asked:
    """Read the words after `dig`. DigError."""
    asked = Asked()
    rest = list(words)
    has_name = False
    while rest:
        word = rest.pop(0)
        if word.startswith("@"):
            asked.server = word[1:]
        elif word.startswith("+"):
            _option(asked, word[1:])
        elif word[:2] in ("-x", "-t", "-p", "-q", "-c"):
            value = word[2:] or (rest.pop(0) if rest else "")
            if word[1] == "x":
                asked.name, asked.kind, has_name = _reversed(value), "PTR", True
            elif word[1] == "t":
                _take_kind(asked, value, is_said=True)
            elif word[1] == "p":
                asked.port = _number(value, 65_535)
            elif word[1] == "q":
                asked.name, has_name = value, True
        elif word in ("-4", "IN", "in"):
            continue
        elif word.startswith("-"):
            raise DigError(f"Invalid option: {word}\nUsage:  dig [@global-server] [domain] [q-type] {{q-opt}}")
        elif not _take_kind(asked, word):
            asked.name, has_name = word, True
    if not has_name:
        asked.kind = "NS"
    return asked


def _take_kind(asked: Asked, word: str, *, is_said: bool = False) -> bool:
    try:
        asked.kind = dns.rdatatype.to_text(dns.rdatatype.from_text(word.upper()))
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        if is_said:
            asked.warnings.append(f";; Warning, ignoring invalid type {word}")
        return False
    return True


def _option(asked: Asked, text: str) -> None:
    name, _, value = text.partition("=")
    is_on = not name.startswith("no") or name in ("noall",)
    bare = name if is_on else name[2:]
    if name in ("all", "noall"):
        asked.parts = set(PARTS) if name == "all" else set()
    elif bare in PARTS:
        (asked.parts.add if is_on else asked.parts.discard)(bare)
    elif bare == "short":
        asked.is_short = is_on
    elif bare in ("search", "defname"):
        asked.searches = is_on
    elif bare in ("tcp", "vc"):
        asked.by_tcp = is_on
    elif bare in ("recurse", "rec", "rdflag"):
        asked.recursion = is_on
    elif bare in ("time", "timeout"):
        asked.timeout = float(max(_number(value, 300), 1))
    elif bare == "tries":
        asked.tries = max(_number(value, 10), 1)
    elif bare == "retry":
        asked.tries = 1 + _number(value, 9)
    elif bare not in ("edns", "cookie", "dnssec", "identify", "ttlid", "multiline", "adflag", "bufsize", "qr", "ndots"):
        raise DigError(f"Invalid option: +{text}\nUsage:  dig [@global-server] [domain] [q-type] {{q-opt}}")


def _number(text: str, most: int) -> int:
    if _NUMBER.fullmatch(text) is None and not (text.isascii() and text.isdigit() and len(text) < 6):
        raise DigError(f"dig: couldn't parse '{text}': not a valid number")
    return min(int(text), most)


def _reversed(address: str) -> str:
    try:
        return reverse(address)
    except ValueError:
        raise DigError(f"Invalid IP address {address}") from None


async def dig(invocation: Invocation) -> int:
    """Run dig."""
    try:
        asked = read(list(invocation.argv[1:]))
        own, resolver = configuration(invocation)
        server = asked.server or own
        try:
            address = await resolve(server)
        except socket.gaierror:
            raise DigError(f"dig: couldn't get address for '{server}': not found") from None
        names = resolver.candidates(asked.name) if asked.searches else [asked.name]
        answer = await _dig(invocation, asked, address, names)
    except DigError as problem:
        invocation.err(f"{problem}\n")
        return problem.code
    except dns.exception.DNSException as problem:
        invocation.err(f"dig: '{invocation.argv[-1]}' is not a legal name ({problem})\n")
        return 10
    if answer is None:
        return 9
    lines = _short(answer) if asked.is_short else _whole(invocation, asked, server, answer)
    invocation.out("".join(f"{line}\n" for line in lines))
    return 0


async def _dig(invocation: Invocation, asked: Asked, address: str, names: list[str]) -> Answer | None:
    invocation.out("".join(f"{line}\n" for line in asked.warnings))
    asking = Asking(
        address, asked.port, asked.timeout, asked.tries, asked.by_tcp, edns_bytes=EDNS_BYTES, recursion=asked.recursion
    )
    answer = None
    for name in names:
        try:
            answer = await ask(query(invocation, name, asked.kind, asking), asking)
        except NoAnswerError as problem:
            invocation.out("".join(f"{line}\n" for line in problem.lines))
            if "cmd" in asked.parts and not asked.is_short:
                invocation.out("".join(f"{line}\n" for line in _banner(invocation, asked)))
            invocation.out(f"{UNREACHED}\n")
            return None
        if answer.message.rcode() != dns.rcode.NXDOMAIN:
            break
    return answer


def _banner(invocation: Invocation, asked: Asked) -> Iterator[str]:
    yield ""
    yield f"; <<>> DiG {VERSION} <<>> {' '.join(invocation.argv[1:])}"
    if asked.server:
        yield "; (1 server found)"
    yield ";; global options: +cmd"


def _short(answer: Answer) -> Iterator[str]:
    for records in answer.message.answer:
        yield from (item.to_text() for item in records)


def _whole(invocation: Invocation, asked: Asked, server: str, answer: Answer) -> Iterator[str]:
    message, parts = answer.message, asked.parts
    if "cmd" in parts:
        yield from _banner(invocation, asked)
    if "comments" in parts:
        yield from _header(answer)
    if "question" in parts:
        yield from _titled("QUESTION", [_question(one) for one in message.question], "comments" in parts)
    for part, records in (
        ("answer", message.answer),
        ("authority", message.authority),
        ("additional", message.additional),
    ):
        if part in parts and records:
            lines = [line for one in records for line in _records(one)]
            yield from _titled(part.upper(), lines, "comments" in parts)
    if "stats" in parts:
        yield f";; Query time: {int(answer.seconds * 1000)} msec"
        yield f";; SERVER: {answer.server}#{answer.port}({server}) ({'TCP' if answer.by_tcp else 'UDP'})"
        yield f";; WHEN: {invocation.process.now().strftime('%a %b %d %H:%M:%S UTC %Y')}"
        yield f";; MSG SIZE  rcvd: {answer.size}"
        yield ""


def _titled(title: str, lines: list[str], is_titled: bool) -> Iterator[str]:
    if is_titled:
        yield f";; {title} SECTION:"
    yield from lines
    if is_titled:
        yield ""


def _header(answer: Answer) -> Iterator[str]:
    message = answer.message
    yield ";; Got answer:"
    if any(str(one.name).lower().endswith(".local.") for one in message.question):
        yield ";; WARNING: .local is reserved for Multicast DNS"
        yield ";; You are currently testing what happens when an mDNS query is leaked to DNS"
    status = dns.rcode.to_text(message.rcode())
    yield f";; ->>HEADER<<- opcode: QUERY, status: {status}, id: {message.id}"
    flags = dns.flags.to_text(message.flags).lower()
    counts = [sum(len(one) for one in part) for part in (message.answer, message.authority, message.additional)]
    has_edns = message.edns >= 0
    yield (
        f";; flags: {flags}; QUERY: {len(message.question)}, ANSWER: {counts[0]}, AUTHORITY: {counts[1]}, "
        f"ADDITIONAL: {counts[2] + has_edns}"
    )
    if message.flags & dns.flags.RD and not message.flags & dns.flags.RA:
        yield ";; WARNING: recursion requested but not available"
    yield ""
    if has_edns:
        yield ";; OPT PSEUDOSECTION:"
        yield f"; EDNS: version: {message.edns}, flags:; udp: {message.payload}"


def _question(one: dns.rrset.RRset) -> str:
    return _columned([(0, f";{one.name}"), (CLASS_COLUMN, "IN"), (TYPE_COLUMN, dns.rdatatype.to_text(one.rdtype))])


def _records(one: dns.rrset.RRset) -> Iterator[str]:
    for item in one:
        yield _columned([
            (0, str(one.name)),
            (TTL_COLUMN, str(one.ttl)),
            (CLASS_COLUMN, dns.rdataclass.to_text(one.rdclass)),
            (TYPE_COLUMN, dns.rdatatype.to_text(one.rdtype)),
            (DATA_COLUMN, item.to_text()),
        ])  # fmt: skip


def _columned(cells: list[tuple[int, str]]) -> str:
    """Set texts at columns, by tabs of eight; what is too long is followed by one blank (lib/dns/masterdump.c)."""
    line, column = "", 0
    for at, text in cells:
        if at and column >= at:
            line, column = f"{line} ", column + 1
        elif at:
            line += "\t" * (at // 8 - column // 8)
            column = at
        line += text
        column += len(text)
    return line


# -- nslookup and host -------------------------------------------------------------------------------------------------


class Lookup(msgspec.Struct):
    """Goes through the search list for one name. `hears_of` gets a line for each answer without recursion."""

    invocation: Invocation
    asking: Asking
    tells_recursion: bool = False
    name: str = ""
    """What was asked for last."""

    async def find(self, names: list[str], kind: str) -> Answer:
        """Ask for names in turn until there is one. NoAnswerError; dns.exception.DNSException."""
        answer = None
        for self.name in names:
            answer = await ask(query(self.invocation, self.name, kind, self.asking), self.asking)
            if self.tells_recursion and not answer.message.flags & dns.flags.RA:
                self.invocation.out(f";; Got recursion not available from {self.asking.server}\n")
            if answer.message.rcode() != dns.rcode.NXDOMAIN:
                break
        assert answer is not None, "somebody has asked for no name"
        return answer


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


async def nslookup(invocation: Invocation) -> int:
    """Run nslookup."""
    kind, words = "", []
    for word in invocation.argv[1:]:
        if not word.startswith("-"):
            words.append(word)
            continue
        option, _, value = word[1:].partition("=")
        if option in ("type", "query", "q", "ty"):
            kind = value.upper()
        elif option not in ("debug", "timeout", "retry", "vc", "port"):
            invocation.out(f"*** Invalid option: {option}\n")
    if not words:
        invocation.err("nslookup: there is nobody to type questions; say a name\n")
        return 1
    own, resolver = configuration(invocation)
    name, server = words[0], words[1] if len(words) > 1 else own
    try:
        asking = Asking(await resolve(server))
    except socket.gaierror:
        invocation.out(f"nslookup: couldn't get address for '{server}': not found\n")
        return 1
    lookup = Lookup(invocation, asking, tells_recursion=len(words) == 1)
    header = f"Server:\t\t{server}\nAddress:\t{asking.server}#53\n\n"
    try:
        if _is_address(name) and not kind:
            return await _nslookup_reverse(lookup, name)
        return await _nslookup(lookup, name, resolver.candidates(name), kind, header)
    except NoAnswerError as problem:
        invocation.out("".join(f"{line}\n" for line in problem.lines) + f"{UNREACHED}\n\n")
    except (dns.exception.DNSException, dns.rdatatype.UnknownRdatatype, ValueError):
        invocation.out(f"unknown query type: {kind}\n" if kind else f"nslookup: '{name}' is not a legal name\n")
    return 1


async def _nslookup(lookup: Lookup, name: str, names: list[str], kind: str, header: str) -> int:
    invocation = lookup.invocation
    answer = await lookup.find(names, kind or "A")
    invocation.out(header)
    code = answer.message.rcode()
    if code != dns.rcode.NOERROR:
        invocation.out(f"** server can't find {name.rstrip('.')}: {dns.rcode.to_text(code)}\n\n")
        return 1
    if answer.message.answer and not answer.message.flags & dns.flags.AA:
        invocation.out("Non-authoritative answer:\n")
    shown = "".join(_spoken(answer))
    invocation.out(shown)
    if kind:
        invocation.out("\n" if shown else f"*** Can't find {name.rstrip('.')}: No answer\n\n")
        return 0
    again = await lookup.find([lookup.name], "AAAA")
    code = again.message.rcode()
    if code != dns.rcode.NOERROR:
        invocation.out(f"** server can't find {name.rstrip('.')}: {dns.rcode.to_text(code)}\n\n")
        return 1
    more = "".join(_spoken(again))
    missing = "" if shown or more else f"*** Can't find {name.rstrip('.')}: No answer\n"
    invocation.out(f"{more}{missing}\n")
    return 0


async def _nslookup_reverse(lookup: Lookup, address: str) -> int:
    answer = await lookup.find([reverse(address)], "PTR")
    code = answer.message.rcode()
    if code != dns.rcode.NOERROR:
        lookup.invocation.out(f"** server can't find {reverse(address).rstrip('.')}: {dns.rcode.to_text(code)}\n\n")
        return 1
    lookup.invocation.out("".join(_spoken(answer)) + "\n")
    return 0


_SAID = {
    "SRV": "service", "PTR": "name", "CNAME": "canonical name", "TXT": "text", "NS": "nameserver",
    "MX": "mail exchanger",
}  # fmt: skip


def _spoken(answer: Answer) -> Iterator[str]:
    for records in answer.message.answer:
        name, kind = str(records.name).rstrip("."), dns.rdatatype.to_text(records.rdtype)
        for item in records:
            if kind in ("A", "AAAA"):
                yield f"Name:\t{name}\nAddress: {item.to_text()}\n"
            else:
                yield f"{name}\t{_SAID.get(kind, f'rdata_{int(records.rdtype)}')} = {item.to_text()}\n"


async def host(invocation: Invocation) -> int:
    """Run host."""
    kind, words = "", list(invocation.argv[1:])
    names: list[str] = []
    while words:
        word = words.pop(0)
        if word.startswith("-t"):
            kind = (word[2:] or (words.pop(0) if words else "")).upper()
        elif not word.startswith("-"):
            names.append(word)
    if not names:
        invocation.err(
            "Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]\n"
            "            [-R number] hostname [server]\n"
        )
        return 1
    own, resolver = configuration(invocation)
    server = names[1] if len(names) > 1 else own
    try:
        asking = Asking(await resolve(server), tries=2)
    except socket.gaierror:
        invocation.out(f"host: couldn't get address for '{server}': not found\n")
        return 1
    if len(names) > 1:
        invocation.out(f"Using domain server:\nName: {server}\nAddress: {asking.server}#53\nAliases: \n\n")
    lookup = Lookup(invocation, asking)
    try:
        return await _host(lookup, names[0], resolver.candidates(names[0]), kind)
    except NoAnswerError as problem:
        invocation.out("".join(f"{line}\n" for line in problem.lines) + f"{UNREACHED}\n")
    except (dns.exception.DNSException, dns.rdatatype.UnknownRdatatype, ValueError):
        invocation.err(f"host: invalid type: {kind}\n" if kind else f"host: '{names[0]}' is not a legal name\n")
    return 1


async def _host(lookup: Lookup, name: str, names: list[str], kind: str) -> int:
    is_reverse = _is_address(name) and not kind
    asked = [reverse(name)] if is_reverse else names
    found = False
    for number, one in enumerate(["PTR"] if is_reverse else [kind] if kind else ["A", "AAAA", "MX"]):
        answer = await lookup.find(asked if not number else [lookup.name], one)
        code = answer.message.rcode()
        if code != dns.rcode.NOERROR:
            shown = asked[0] if is_reverse else name
            if not found:
                lookup.invocation.out(f"Host {shown} not found: {int(code)}({dns.rcode.to_text(code)})\n")
                return 1
            break
        for records in answer.message.answer:
            found = True
            lookup.invocation.out("".join(f"{_host_line(records, item.to_text())}\n" for item in records))
    if not found:
        lookup.invocation.out(f"{lookup.name.rstrip('.')} has no {kind or 'A'} record\n")
    return 0


def _host_line(records: dns.rrset.RRset, data: str) -> str:
    name, kind = str(records.name), dns.rdatatype.to_text(records.rdtype)
    bare = name.rstrip(".")
    said = {
        "A": f"{bare} has address {data}",
        "AAAA": f"{bare} has IPv6 address {data}",
        "PTR": f"{bare} domain name pointer {data}",
        "CNAME": f"{bare} is an alias for {data}",
        "SRV": f"{bare} has SRV record {data}",
        "NS": f"{bare} name server {data}",
        "MX": f"{bare} mail is handled by {data}",
        "TXT": f"{bare} descriptive text {data}",
    }
    return said.get(kind, f"{bare} has {kind} record {data}")
