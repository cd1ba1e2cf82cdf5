"""Filter expressions of tcpdump, as pcap-filter(7) has them, and which packets they mean.

    host 10.0.0.1 and (port 6443 or 2379) and not tcp[tcpflags] & (tcp-syn|tcp-fin) != 0

    expression  term { and|or term }        of equal rank, from left to right
    term        not term | ( expression ) | comparison | primitive
    primitive   [tcp|udp|icmp|ip] [src|dst|src or dst|src and dst] [host|net|port|portrange] ID, less N, greater N
    comparison  sum (= != > < >= <=) sum    of numbers, `len`, and bytes: tcp[13], ip[2:2], icmp[icmptype]

An ID without words before it has those of the one before. A condition is a function of a packet; whatever lies beyond a
packet's end rejects it. Left out: link-layer addresses, VLANs, IPv6 addresses, `gateway`, `broadcast`.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping

import msgspec

from cluster_engine.programs.capture.packets import ICMP, TCP, UDP, Packet
from cluster_engine.programs.network.services import PORT_MAX, port_number
from cluster_engine.world.tap import Endpoint

Condition = Callable[[Packet], bool]
Sum = Callable[[Packet], int]
LENGTH_MAX, WORDS_MAX, DEPTH_MAX = 4096, 600, 40
_WORD = re.compile(r"\s*(&&|\|\||<<|>>|==|!=|>=|<=|[()\[\]:!=<>&|+*/^-]|[A-Za-z0-9_.\\-]+(?:/[0-9.]+)?)")
_PROTOCOLS = {"tcp": TCP, "udp": UDP, "icmp": ICMP}
_NO_IPV4 = frozenset({"arp", "rarp", "ip6", "icmp6", "vlan", "sctp", "igmp"})
_TYPES = frozenset({"host", "net", "port", "portrange"})
_COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "=": int.__eq__, "==": int.__eq__, "!=": int.__ne__, ">": int.__gt__, "<": int.__lt__, ">=": int.__ge__,
    "<=": int.__le__,
}  # fmt: skip
_RANKS = ({"|", "&", "^"}, {"<<", ">>"}, {"+", "-"}, {"*", "/"})
_CONSTANTS = {
    "tcpflags": 13, "tcp-fin": 1, "tcp-syn": 2, "tcp-rst": 4, "tcp-push": 8, "tcp-ack": 16, "tcp-urg": 32,
    "icmptype": 0, "icmpcode": 1, "icmp-echoreply": 0, "icmp-unreach": 3, "icmp-echo": 8,
}  # fmt: skip
_MASK = 0xFFFF_FFFF
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10}")
SYNTAX_ERROR = "can't parse filter expression: syntax error"


class ExpressionError(ValueError):
    """An expression that is none; the text is libpcap's complaint."""


class _BeyondError(Exception):
    """A packet has no byte there."""


class _Words(msgspec.Struct, frozen=True):
    """What is said before an ID."""

    protocol: str = ""
    direction: str = ""
    kind: str = ""


def condition_of(text: str, resolve: Callable[[str], str]) -> Condition:
    """Return what an expression asks of a packet; every packet where it is empty. ExpressionError.

    `resolve` gives the address of a host's name, or raises OSError.
    """
    words = _words_of(text)
    if not words:
        return lambda _: True
    reader = _Reader(words, resolve)
    found = reader.expression(0)
    if reader.peek():
        raise ExpressionError(SYNTAX_ERROR)

    def holds(packet: Packet) -> bool:
        try:
            return found(packet)
        except _BeyondError:
            return False

    return holds


def _words_of(text: str) -> list[str]:
    if len(text) > LENGTH_MAX:
        raise ExpressionError(SYNTAX_ERROR)
    words: list[str] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None or len(words) == WORDS_MAX:
            raise ExpressionError(SYNTAX_ERROR)
        words.append(found[1])
        at = found.end()
    return words


class _Reader:
    def __init__(self, words: list[str], resolve: Callable[[str], str]) -> None:
        self._words, self._resolve = words, resolve
        self._at = 0
        self._before = _Words()

    def peek(self, ahead: int = 0) -> str:
        """Return the next word, "" at the end."""
        at = self._at + ahead
        return self._words[at] if at < len(self._words) else ""

    def _next(self) -> str:
        word = self.peek()
        if not word:
            raise ExpressionError(SYNTAX_ERROR)
        self._at += 1
        return word

    def _take(self, *words: str) -> bool:
        if self.peek() in words:
            self._at += 1
            return True
        return False

    def expression(self, depth: int) -> Condition:
        """Read terms, joined from left to right."""
        if depth > DEPTH_MAX:
            raise ExpressionError(SYNTAX_ERROR)
        joined: list[tuple[bool, Condition]] = [(True, self._term(depth))]
        while self.peek() in ("and", "&&", "or", "||"):
            joined.append((self._next() in ("and", "&&"), self._term(depth)))
        if len(joined) == 1:
            return joined[0][1]

        def holds(packet: Packet) -> bool:
            found = joined[0][1](packet)
            for is_and, condition in joined[1:]:
                found = (found and condition(packet)) if is_and else (found or condition(packet))
            return found

        return holds

    def _term(self, depth: int) -> Condition:
        if depth > DEPTH_MAX:
            raise ExpressionError(SYNTAX_ERROR)
        if self._take("not", "!"):
            inner = self._term(depth + 1)
            return lambda packet: not inner(packet)
        if self._begins_comparison():
            return self._comparison(depth)
        if self._take("("):
            inner = self.expression(depth + 1)
            if not self._take(")"):
                raise ExpressionError(SYNTAX_ERROR)
            return inner
        return self._primitive()

    # -- primitives ----------------------------------------------------------------------------------------------------

    def _primitive(self) -> Condition:
        if self.peek() in ("less", "greater"):
            return self._size(self._next())
        protocol = self._next() if self.peek() in _PROTOCOLS or self.peek() in _NO_IPV4 or self.peek() == "ip" else ""
        if protocol and self.peek() == "proto":
            return self._ip_protocol()
        direction = self._direction()
        kind = self._next() if self.peek() in _TYPES else ""
        if not (kind or direction):
            if protocol:
                self._before = _Words(protocol)
                return _of_protocol(protocol)
            return self._id(self._before)
        words = _Words(protocol, direction, kind or "host")
        self._before = words
        return self._id(words)

    def _size(self, word: str) -> Condition:
        bound = self._count(self._next())
        return (lambda packet: packet.size <= bound) if word == "less" else (lambda packet: packet.size >= bound)

    def _ip_protocol(self) -> Condition:
        self._next()
        word = self._next().lstrip("\\")
        number = _PROTOCOLS.get(word)
        wanted = self._count(word) if number is None else number
        return lambda packet: packet.protocol == wanted

    def _direction(self) -> str:
        if self.peek() not in ("src", "dst"):
            return ""
        first = self._next()
        if self.peek() in ("or", "and") and self.peek(1) in ("src", "dst") and self.peek(1) != first:
            word = self._next()
            self._at += 1
            return f"both {word}"
        return first

    def _id(self, words: _Words) -> Condition:
        word = self._next()
        if not (word[0].isalnum() or word[0] == "_"):
            raise ExpressionError(SYNTAX_ERROR)
        kind = words.kind
        if not kind:
            if not word[0].isdigit():
                raise ExpressionError(SYNTAX_ERROR)
            kind = "host" if word.count(".") == 3 and "/" not in word else "net"
        if kind in ("port", "portrange"):
            low, high = self._range(word) if kind == "portrange" else (self._port(word),) * 2
            has: Callable[[Endpoint], bool] = lambda end: low <= end.port <= high  # noqa: E731
            allowed = {_PROTOCOLS[words.protocol]} if words.protocol in _PROTOCOLS else {TCP, UDP}
            inner = _directed(words.direction, has)
            return lambda packet: packet.protocol in allowed and inner(packet)
        network = self._network(word) if kind == "net" else self._host(word)
        inner = _directed(words.direction, lambda end: ipaddress.IPv4Address(end.address) in network)
        if not words.protocol:
            return inner
        outer = _of_protocol(words.protocol)
        return lambda packet: outer(packet) and inner(packet)

    def _port(self, word: str) -> int:
        if word.isascii() and word.isdigit() and (len(word) > 5 or int(word) > PORT_MAX):
            raise ExpressionError(f"illegal port number {word} > 65535")
        try:
            return port_number(word)
        except ValueError:
            raise ExpressionError(f"unknown port '{word}'") from None

    def _range(self, word: str) -> tuple[int, int]:
        first, dash, last = word.partition("-")
        if not (dash and first and last):
            raise ExpressionError(SYNTAX_ERROR if dash else f"unknown port in range '{word}'")
        ends = sorted((self._port(first), self._port(last)))
        return ends[0], ends[1]

    def _host(self, word: str) -> ipaddress.IPv4Network:
        if "/" in word:
            raise ExpressionError(SYNTAX_ERROR)
        try:
            return ipaddress.IPv4Network(word)
        except ValueError:
            if word.replace(".", "").isdigit():
                raise ExpressionError(f"invalid IPv4 address '{word}'") from None
        try:
            return ipaddress.IPv4Network(self._resolve(word))
        except (OSError, ValueError):
            raise ExpressionError(f"unknown host '{word}'") from None

    def _network(self, word: str) -> ipaddress.IPv4Network:
        text, slash, length = word.partition("/")
        if self._take("mask"):
            slash, length = "/", self._next()
        parts = text.split(".")
        if (
            not all(part.isascii() and part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts)
            or len(parts) > 4
        ):
            raise ExpressionError(f"unknown network '{text}'")
        if slash and length.isdigit() and int(length) > 32:
            raise ExpressionError("mask length must be <= 32")
        prefix = length if slash else str(8 * len(parts))
        try:
            return ipaddress.IPv4Network(f"{'.'.join([*parts, '0', '0', '0'][:4])}/{prefix}")
        except ValueError:
            raise ExpressionError(f'non-network bits set in "{word}"') from None

    def _count(self, word: str) -> int:
        if _NUMBER.fullmatch(word) is None:
            raise ExpressionError(SYNTAX_ERROR)
        return int(word, 0) if word[:2].lower() == "0x" else int(word)

    # -- comparisons ---------------------------------------------------------------------------------------------------

    def _begins_comparison(self) -> bool:
        """Look ahead past opening brackets: numbers and bytes begin one."""
        ahead = 0
        while self.peek(ahead) == "(":
            ahead += 1
        word, after = self.peek(ahead), self.peek(ahead + 1)
        if word == "len" or word in _CONSTANTS or word == "-":
            return True
        if word in ("ip", "ether", *_PROTOCOLS) and after == "[":
            return True
        return _NUMBER.fullmatch(word) is not None and (
            after in _COMPARISONS or after in {"|", "&", "^", "+", "-", "*", "/", "<<", ">>"}
        )

    def _comparison(self, depth: int) -> Condition:
        if self.peek() == "(" and not self._is_sum():
            self._at += 1
            inner = self.expression(depth + 1)
            if not self._take(")"):
                raise ExpressionError(SYNTAX_ERROR)
            return inner
        left = self._sum(0, depth)
        compare = _COMPARISONS.get(self._next())
        if compare is None:
            raise ExpressionError(SYNTAX_ERROR)
        right = self._sum(0, depth)
        return lambda packet: compare(left(packet), right(packet))

    def _is_sum(self) -> bool:
        """Whether the bracket that opens here holds a number and no comparison."""
        depth, ahead = 0, 0
        while word := self.peek(ahead):
            depth += {"(": 1, ")": -1}.get(word, 0)
            if word in _COMPARISONS or word in ("and", "or", "&&", "||", "not", "!"):
                return False
            if not depth:
                return True
            ahead += 1
        return False

    def _sum(self, rank: int, depth: int) -> Sum:
        if depth > DEPTH_MAX:
            raise ExpressionError(SYNTAX_ERROR)
        if rank == len(_RANKS):
            return self._value(depth)
        parts: list[tuple[str, Sum]] = [("+", self._sum(rank + 1, depth))]
        while self.peek() in _RANKS[rank]:
            parts.append((self._next(), self._sum(rank + 1, depth)))
        if len(parts) == 1:
            return parts[0][1]

        def total(packet: Packet) -> int:
            found = parts[0][1](packet)
            for operator, part in parts[1:]:
                found = _computed(operator, found, part(packet))
            return found

        return total

    def _value(self, depth: int) -> Sum:
        word = self._next()
        if word == "(":
            inner = self._sum(0, depth + 1)
            if not self._take(")"):
                raise ExpressionError(SYNTAX_ERROR)
            return inner
        if word == "len":
            return lambda packet: packet.size
        if word in _CONSTANTS:
            constant = _CONSTANTS[word]
            return lambda _: constant
        if word in ("ip", "ether", *_PROTOCOLS):
            return self._bytes(word, depth)
        number = self._count(word)
        if number > _MASK:
            raise ExpressionError(SYNTAX_ERROR)
        return lambda _: number

    def _bytes(self, protocol: str, depth: int) -> Sum:
        if not self._take("["):
            raise ExpressionError(SYNTAX_ERROR)
        index = self._sum(0, depth + 1)
        size = self._count(self._next()) if self._take(":") else 1
        if not self._take("]"):
            raise ExpressionError(SYNTAX_ERROR)
        if size not in (1, 2, 4):
            raise ExpressionError("data size must be 1, 2, or 4")
        wanted = _PROTOCOLS.get(protocol)

        def value(packet: Packet) -> int:
            if wanted is not None and packet.protocol != wanted:
                raise _BeyondError
            data, at = packet.network if wanted is None else packet.transport, index(packet)
            if at + size > len(data):
                raise _BeyondError
            return int.from_bytes(data[at : at + size])

        return value


def _computed(operator: str, left: int, right: int) -> int:
    match operator:
        case "|":
            return left | right
        case "&":
            return left & right
        case "^":
            return left ^ right
        case "<<":
            return (left << right) & _MASK if right < 32 else 0
        case ">>":
            return left >> right if right < 32 else 0
        case "+":
            return (left + right) & _MASK
        case "-":
            return (left - right) & _MASK
        case "*":
            return (left * right) & _MASK
    if not right:
        raise _BeyondError
    return left // right


def _of_protocol(protocol: str) -> Condition:
    if protocol in _NO_IPV4:
        return lambda _: False
    number = _PROTOCOLS.get(protocol)
    return lambda packet: number is None or packet.protocol == number


def _directed(direction: str, has: Callable[[Endpoint], bool]) -> Condition:
    match direction:
        case "src":
            return lambda packet: has(packet.source)
        case "dst":
            return lambda packet: has(packet.destination)
        case "both and":
            return lambda packet: has(packet.source) and has(packet.destination)
    return lambda packet: has(packet.source) or has(packet.destination)
