"""A machine's packet filter: tables of rules, printed as `iptables-save` prints them and obeyed by every first packet.

Theory of operation. A table has chains, a chain has rules, a rule has matches and a target. The first packet of a
connection walks through the built-in chains in the kernel's order; a rule whose matches all hold sends it into another
chain, changes it, or ends the walk:

    sent by the machine itself     nat OUTPUT      → filter OUTPUT  → nat POSTROUTING (→ filter INPUT, if it is for it)
    arriving, for the machine      nat PREROUTING  → filter INPUT
    arriving, for somebody else    nat PREROUTING  → filter FORWARD → nat POSTROUTING

What DNAT and MASQUERADE made of the first packet holds for all that follow, and is undone for the answers: that is
connection tracking, and whoever carries the packets does it (`routing`). A pod's packets arrive at its machine.

    -A KUBE-SERVICES -d 10.96.4.7/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-LOLE4ISW44XBNF3G
    Packet("tcp", 10.244.1.9:40000, 10.96.4.7:80)      → Verdict.ACCEPT, and its destination is now 10.244.1.2:8080

A rule is one value: its text is made of the same parts that are asked. Modelled on netfilter (net/netfilter/xt_*.c) and
iptables 1.8.9. Left out: the tables raw and security, counters, interfaces, ctstates other than NEW and DNAT (only
first packets come here), a filter in a pod's own network.
"""

import enum
import functools
import random
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from cluster_engine.world.tap import Endpoint

RECENT_ADDRESSES_MAX = 100
"""Of one list, as of xt_recent's ip_list_tot."""
MASQUERADE_PORTS = (1024, 65535)
DEPTH_MAX = 16


class Verdict(enum.Enum):
    """What becomes of a packet."""

    ACCEPT = "ACCEPT"
    DROP = "DROP"
    REJECT = "REJECT"


RETURN = "RETURN"
ENDS = {verdict.value: verdict for verdict in (Verdict.ACCEPT, Verdict.DROP)}


class Packet(msgspec.Struct):
    """The first packet of a connection; the filter changes addresses and mark. `protocol` is "tcp" or "udp"."""

    protocol: str
    source: Endpoint
    destination: Endpoint
    mark: int = 0
    translated: bool = False


class Kernel(msgspec.Struct):
    """What rules ask of the machine that they are on: its addresses, the time in seconds, chance, who came lately."""

    addresses: Iterable[str]
    address: str
    now: Callable[[], float]
    rng: random.Random
    recent: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)

    def is_local(self, address: str) -> bool:
        """Whether an address is one of the machine's own."""
        return address in self.addresses or address.startswith("127.")


class Match(Protocol):
    """A condition: how it is printed, and whether it holds."""

    @property
    def text(self) -> str:
        """As `iptables-save` prints it."""
        ...

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """Whether it holds for a packet."""
        ...


@functools.lru_cache(4096)
def _number(address: str) -> int:
    return int.from_bytes(socket.inet_aton(address), "big")


@functools.lru_cache(1024)
def _range(cidr: str) -> tuple[int, int]:
    """Return the first address of a range and its mask."""
    address, _, bits = cidr.partition("/")
    return _number(address), (0xFFFFFFFF << (32 - int(bits))) & 0xFFFFFFFF


def _within(address: str, cidr: str) -> bool:
    first, mask = _range(cidr)
    return _number(address) & mask == first


class Source(msgspec.Struct, frozen=True):
    """Where it comes from: "10.244.0.0/16"."""

    cidr: str
    negated: bool = False

    @property
    def text(self) -> str:
        """See Match."""
        return f"{'! ' * self.negated}-s {self.cidr}"

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        return _within(packet.source.address, self.cidr) is not self.negated


class Destination(msgspec.Struct, frozen=True):
    """Where it goes: "10.96.0.1/32"."""

    cidr: str

    @property
    def text(self) -> str:
        """See Match."""
        return f"-d {self.cidr}"

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        return _within(packet.destination.address, self.cidr)


class Over(msgspec.Struct, frozen=True):
    """The protocol."""

    protocol: str

    @property
    def text(self) -> str:
        """See Match."""
        return f"-p {self.protocol}"

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        return packet.protocol == self.protocol


class ToPort(msgspec.Struct, frozen=True):
    """The destination's port; None: any, where only the protocol's module is named."""

    protocol: str
    port: int | None = None

    @property
    def text(self) -> str:
        """See Match."""
        return f"-m {self.protocol}" + ("" if self.port is None else f" --dport {self.port}")

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        return self.port in (None, packet.destination.port)


class Comment(msgspec.Struct, frozen=True):
    """What a rule is for. Holds always."""

    said: str

    @property
    def text(self) -> str:
        """See Match."""
        return f'-m comment --comment "{self.said}"'

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        return True


class InState(msgspec.Struct, frozen=True):
    """What connection tracking says of it: "NEW", "INVALID", "RELATED,ESTABLISHED,DNAT"."""

    states: str
    negated: bool = False

    @property
    def text(self) -> str:
        """See Match."""
        return f"-m conntrack {'! ' * self.negated}--ctstate {self.states}"

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        states = self.states.split(",")
        return ("NEW" in states or (packet.translated and "DNAT" in states)) is not self.negated


class AddressType(msgspec.Struct, frozen=True):
    """Whether its source ("src") or destination ("dst") is the machine's own."""

    end: str

    @property
    def text(self) -> str:
        """See Match."""
        return f"-m addrtype --{self.end}-type LOCAL"

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        return kernel.is_local((packet.source if self.end == "src" else packet.destination).address)


class Marked(msgspec.Struct, frozen=True):
    """Whether a bit of its mark is set."""

    bit: int
    negated: bool = False

    @property
    def text(self) -> str:
        """See Match."""
        return f"-m mark {'! ' * self.negated}--mark {self.bit:#x}/{self.bit:#x}"

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        return bool(packet.mark & self.bit) is not self.negated


class Chance(msgspec.Struct, frozen=True):
    """One in so many, as the kernel keeps it: 31 bits of the probability."""

    one_in: int

    @property
    def probability(self) -> float:
        """What comes back from the kernel."""
        return round(2**31 / self.one_in) / 2**31

    @property
    def text(self) -> str:
        """See Match."""
        return f"-m statistic --mode random --probability {self.probability:.11f}"

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        return kernel.rng.random() < self.probability


class CameBefore(msgspec.Struct, frozen=True):
    """Whether its source is on a list, and was last seen at most so many seconds ago."""

    name: str
    seconds: int

    @property
    def text(self) -> str:
        """See Match."""
        return f"-m recent --rcheck --seconds {self.seconds} --reap --name {self.name} --mask 255.255.255.255 --rsource"

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        seen = kernel.recent.get(self.name, {}).get(packet.source.address)
        return seen is not None and kernel.now() - seen <= self.seconds


class Remember(msgspec.Struct, frozen=True):
    """Puts its source on a list. Holds always."""

    name: str

    @property
    def text(self) -> str:
        """See Match."""
        return f"-m recent --set --name {self.name} --mask 255.255.255.255 --rsource"

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """See Match."""
        listed = kernel.recent.setdefault(self.name, {})
        listed.pop(packet.source.address, None)
        listed[packet.source.address] = kernel.now()
        if len(listed) > RECENT_ADDRESSES_MAX:
            del listed[next(iter(listed))]
        return True


class Rule(msgspec.Struct, frozen=True):
    """A line of a chain. `jump` is a target or another chain; the others are the target's options.

    `to` is where DNAT sends it; `mark` the value and the mask of MARK's --set-xmark.
    """

    matches: tuple[Match, ...]
    jump: str
    to: Endpoint | None = None
    mark: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """As `iptables-save` prints it, without the chain."""
        words = [match.text for match in self.matches] + [f"-j {self.jump}"]
        if self.to is not None:
            words.append(f"--to-destination {self.to}")
        if self.mark is not None:
            words.append("--set-xmark {:#x}/{:#x}".format(*self.mark))
        words += [{"REJECT": "--reject-with icmp-port-unreachable", "MASQUERADE": "--random-fully"}.get(self.jump, "")]
        return " ".join(filter(None, words))

    def holds(self, packet: Packet, kernel: Kernel) -> bool:
        """Whether all its matches hold."""
        return all(match.holds(packet, kernel) for match in self.matches)


class Table(msgspec.Struct, frozen=True):
    """A table: its chains in the order in which they are printed, the built-in ones first; these end in ACCEPT."""

    name: str
    built_in: tuple[str, ...]
    chains: Mapping[str, tuple[Rule, ...]]

    @property
    def text(self) -> str:
        """As `iptables-save` prints it, without the comments around it."""
        lines = [f"*{self.name}"]
        lines += [f":{name} {'ACCEPT' if name in self.built_in else '-'} [0:0]" for name in self.chains]
        lines += [f"-A {name} {rule.text}" for name, rules in self.chains.items() for rule in rules]
        return "\n".join([*lines, "COMMIT"]) + "\n"

    @property
    def rules(self) -> int:
        """How many rules it has."""
        return sum(map(len, self.chains.values()))


class PacketFilter:
    """The rules of one machine. They are in its kernel: gone when it loses power, and there whoever wrote them dies."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.tables: dict[str, Table] = {}

    def load(self, tables: Iterable[Table]) -> None:
        """Replace all rules, at one instant. Lists of who came lately stay."""
        self.tables = {table.name: table for table in tables}

    def flush(self) -> None:
        """Forget everything, as when the machine is switched off."""
        self.tables = {}
        self.kernel.recent.clear()

    def sends(self, packet: Packet) -> Verdict:
        """Take a packet that the machine itself sends."""
        way = [("nat", "OUTPUT"), ("filter", "OUTPUT"), ("nat", "POSTROUTING")]
        verdict = self._walk(packet, way)
        if verdict is Verdict.ACCEPT and self.kernel.is_local(packet.destination.address):
            return self._walk(packet, [("filter", "INPUT")])
        return verdict

    def arrives(self, packet: Packet) -> Verdict:
        """Take a packet that comes from a wire, or from a pod of the machine."""
        if not self.tables:
            return Verdict.ACCEPT
        self._walk(packet, [("nat", "PREROUTING")])
        if self.kernel.is_local(packet.destination.address):
            return self._walk(packet, [("filter", "INPUT")])
        return self._walk(packet, [("filter", "FORWARD"), ("nat", "POSTROUTING")])

    def _walk(self, packet: Packet, way: list[tuple[str, str]]) -> Verdict:
        for name, chain in way:
            table = self.tables.get(name)
            if table is not None:
                verdict = self._through(table, chain, packet, 0)
                if verdict not in (None, Verdict.ACCEPT):
                    return verdict
        return Verdict.ACCEPT

    def _through(self, table: Table, chain: str, packet: Packet, depth: int) -> Verdict | None:
        """Walk through a chain; None: it came to the end, or to a RETURN."""
        assert depth < DEPTH_MAX, f"the chains of {table.name} go in circles at {chain}"
        for rule in table.chains[chain]:
            if not rule.holds(packet, self.kernel):
                continue
            if rule.jump == RETURN:
                return None
            if rule.jump in table.chains:
                verdict = self._through(table, rule.jump, packet, depth + 1)
            else:
                verdict = self._at_target(rule, packet)
            if verdict is not None:
                return verdict
        return None

    def _at_target(self, rule: Rule, packet: Packet) -> Verdict | None:
        match rule.jump:
            case "DNAT":
                assert rule.to is not None
                packet.destination, packet.translated = rule.to, True
                return Verdict.ACCEPT
            case "MASQUERADE":
                packet.source = Endpoint(self.kernel.address, self.kernel.rng.randint(*MASQUERADE_PORTS))
                return Verdict.ACCEPT
            case "MARK":
                assert rule.mark is not None
                value, mask = rule.mark
                packet.mark = (packet.mark & ~mask) ^ value
                return None
            case "REJECT":
                return Verdict.REJECT
        return ENDS[rule.jump]
