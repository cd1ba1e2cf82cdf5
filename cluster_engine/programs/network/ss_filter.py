"""What ss is asked for: an expression over addresses and ports, as its own words have it.

    ( sport = :6443 or dport = :6443 ) and not src 127.0.0.0/8

    expression   alternative { or alternative }        or | || ,  and & &&
    alternative  condition { [and] condition }         without a word between them, "and" is meant
    condition    not condition | ( expression ) | sport|dport [= != > < >= <=] PORT | src|dst [= !=] ADDRESS[/n][:PORT]

Words are parted by blanks, parentheses too. Modelled on iproute2 6.1 (misc/ssfilter.y). Left out: dev, fwmark, cgroup,
autobound, names of networks, IPv6.
"""

import ipaddress
import operator
from collections.abc import Callable, Mapping

from cluster_engine.programs.network.services import port_number
from cluster_engine.programs.network.sockets import Socket
from cluster_engine.world.tap import Endpoint

Condition = Callable[[Socket], bool]
WORDS_MAX = 1000
DEPTH_MAX = 50

_OPERATORS: Mapping[str, Callable[[int, int], bool]] = {
    **dict.fromkeys(("=", "==", "eq", "is"), operator.eq),
    **dict.fromkeys(("!=", "ne", "neq"), operator.ne),
    **dict.fromkeys((">", "gt"), operator.gt),
    **dict.fromkeys(("<", "lt"), operator.lt),
    **dict.fromkeys((">=", "ge", "geq"), operator.ge),
    **dict.fromkeys(("<=", "le", "leq"), operator.le),
}
_OR, _AND, _NOT = frozenset({"or", "|", "||"}), frozenset({"and", "&", "&&"}), frozenset({"not", "!"})


class FilterSyntaxError(ValueError):
    """Words that are no expression."""


class AddressError(ValueError):
    """An address or port that is none; the text is the complaint."""


class Filter:
    """Reads one expression. `resolve` gives the address of a host's name, or raises OSError."""

    def __init__(self, words: list[str], resolve: Callable[[str], str]) -> None:
        self._words, self._resolve = words, resolve
        self._at = 0

    def condition(self) -> Condition:
        """Return what the words ask. FilterSyntaxError; AddressError."""
        if len(self._words) > WORDS_MAX:
            raise FilterSyntaxError
        found = self._any_of(0)
        if self._peek():
            raise FilterSyntaxError
        return found

    def _peek(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def _next(self) -> str:
        word = self._peek()
        if not word:
            raise FilterSyntaxError
        self._at += 1
        return word

    def _any_of(self, depth: int) -> Condition:
        found = [self._all_of(depth)]
        while self._peek() in _OR:
            self._at += 1
            found.append(self._all_of(depth))
        return found[0] if len(found) == 1 else lambda one: any(condition(one) for condition in found)

    def _all_of(self, depth: int) -> Condition:
        found = [self._single(depth)]
        while self._peek() and self._peek() != ")" and self._peek() not in _OR:
            if self._peek() in _AND:
                self._at += 1
            found.append(self._single(depth))
        return found[0] if len(found) == 1 else lambda one: all(condition(one) for condition in found)

    def _single(self, depth: int) -> Condition:
        if depth > DEPTH_MAX:
            raise FilterSyntaxError
        word = self._next()
        if word in _NOT:
            inner = self._single(depth + 1)
            return lambda one: not inner(one)
        if word == "(":
            inner = self._any_of(depth + 1)
            if self._next() != ")":
                raise FilterSyntaxError
            return inner
        if word in _OR or word in _AND or word == ")":
            raise FilterSyntaxError
        if word in ("sport", "dport"):
            return self._port(is_local=word == "sport")
        if word in ("src", "dst"):
            return self._address(is_local=word == "src")
        raise AddressError(f'an inet prefix is expected rather than "{word}".')

    def _port(self, *, is_local: bool) -> Condition:
        compare = _OPERATORS.get(self._peek())
        if compare is None:
            compare = operator.eq
        else:
            self._at += 1
        number = _port(self._next().rpartition(":")[2])
        return lambda one: compare(_end(one, is_local=is_local).port, number)

    def _address(self, *, is_local: bool) -> Condition:
        is_wanted = True
        if self._peek() in _OPERATORS:
            is_wanted = _OPERATORS[self._next()] is not operator.ne
        text, colon, port = self._next().partition(":")
        number = _port(port) if colon and port != "*" else None
        network = None if text in ("", "*") else self._network(text)

        def holds(one: Socket) -> bool:
            end = _end(one, is_local=is_local)
            if number is not None and end.port != number:
                return False
            return network is None or (_is_address(end.address) and ipaddress.IPv4Address(end.address) in network)

        return lambda one: holds(one) is is_wanted

    def _network(self, text: str) -> ipaddress.IPv4Network:
        host, slash, length = text.partition("/")
        try:
            if not _is_address(host):
                host = self._resolve(host)
            return ipaddress.IPv4Network(f"{host}{slash}{length}", strict=False)
        except (OSError, ValueError):
            raise AddressError(f'an inet prefix is expected rather than "{text}".') from None


def _end(one: Socket, *, is_local: bool) -> Endpoint:
    return one.local if is_local else one.remote


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _port(text: str) -> int:
    try:
        return port_number(text)
    except ValueError:
        raise AddressError(f'"{text}" does not look like a port.') from None
