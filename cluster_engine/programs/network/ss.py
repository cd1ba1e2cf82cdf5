"""ss: which sockets a host has, with their states, queues, timers and processes.

    ss -tanp                                    State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
    ss -tn state established dport = :6443      Recv-Q Send-Q Local Address:Port  Peer Address:Port Process

Without -a connections only, with -l what listens. Modelled on iproute2 6.1. A terminal's width is its COLUMNS; without
it lines are as in a pipe. Left out: -i, -m, -K, -E, IPv6, sockets of the kernel (netlink, packet); cgroups in -e.
"""

from collections import Counter
from collections.abc import Iterable

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.network.services import port_name
from cluster_engine.programs.network.sockets import Socket, command_name, network, sockets_of
from cluster_engine.programs.network.ss_columns import HEADER, NETID, STATE, laid_out
from cluster_engine.programs.network.ss_filter import AddressError, Filter, FilterSyntaxError
from cluster_engine.programs.options import OptionError, read_options
from cluster_engine.world.tcp_states import State

USAGE_CODE = 255
VERSION = "ss utility, iproute2-6.1.0"
USAGE = """Usage: ss [ OPTIONS ]
       ss [ OPTIONS ] [ FILTER ]
   -h, --help          this message
   -V, --version       output version information
   -n, --numeric       don't resolve service names
   -a, --all           display all sockets
   -l, --listening     display listening sockets
   -o, --options       show timer information
   -e, --extended      show detailed socket information
   -p, --processes     show process using socket
   -s, --summary       show socket usage summary
   -4, --ipv4          display only IP version 4 sockets
   -t, --tcp           display only TCP sockets
   -u, --udp           display only UDP sockets
   -x, --unix          display only Unix domain sockets
   -H, --no-header     Suppress header line
       FILTER := [ state STATE-FILTER ] [ EXPRESSION ]
"""
SHORT = "hVnralotuxwepsH460OA:f:i"
LONG = {
    "help": "h", "version": "V", "numeric": "n", "resolve": "r", "all": "a", "listening": "l", "options": "o",
    "tcp": "t", "udp": "u", "unix": "x", "raw": "w", "extended": "e", "processes": "p", "summary": "s",
    "no-header": "H", "ipv4": "4", "ipv6": "6", "packet": "0", "oneline": "O", "query=": "A", "socket=": "A",
    "family=": "f", "info": "i",
}  # fmt: skip
KINDS = {"t": "tcp", "u": "udp", "x": "unix"}
QUERIES = {"tcp": ("tcp",), "udp": ("udp",), "unix": ("unix",), "unix_stream": ("unix",), "inet": ("tcp", "udp"),
           "all": ("unix", "udp", "tcp")}  # fmt: skip
NETIDS = {"tcp": "tcp", "udp": "udp", "unix": "u_str"}

NAMES = {state: state.value for state in State} | {
    State.ESTABLISHED: "ESTAB",
    State.SYN_RECEIVED: "SYN-RECV",
    State.CLOSED: "UNCONN",
}
_ALL = frozenset(State)
_CONNECTED = _ALL - {State.LISTEN, State.CLOSED}
_BUCKET = frozenset({State.SYN_RECEIVED, State.TIME_WAIT})
STATES: dict[str, frozenset[State]] = {
    **{state.value.lower(): frozenset({state}) for state in State},
    "listening": frozenset({State.LISTEN}),
    "syn-recv": frozenset({State.SYN_RECEIVED}),
    "all": _ALL,
    "connected": _CONNECTED,
    "synchronized": _CONNECTED - {State.SYN_SENT},
    "bucket": _BUCKET,
    "big": _ALL - _BUCKET,
}


class UsageError(ValueError):
    """What ss says before it ends with USAGE_CODE."""


class Ss:
    """One run: what was asked for."""

    def __init__(self, words: list[str]) -> None:
        """Read the words after `ss`. UsageError."""
        try:
            options, arguments = read_options("ss", words, SHORT, LONG)
        except OptionError as problem:
            raise UsageError(f"{problem}\n{USAGE}") from None
        self.flags: set[str] = set()
        self.kinds: set[str] = set()
        for letter, value in options:
            self.flags.add(letter)
            if letter in KINDS:
                self.kinds.add(KINDS[letter])
            elif letter == "A":
                self._take_query(value)
            elif letter == "f":
                self._take_family(value)
        if self.flags & set("w60") and not self.kinds:
            self.kinds = {"none"}
        elif not self.kinds:
            self.kinds = {"tcp", "udp"} if "4" in self.flags else {"tcp", "udp", "unix"}
        self.states = _default_states(self.flags)
        self.filter_words = self._take_states(" ".join(arguments).split())

    def _take_query(self, value: str) -> None:
        for query in value.split(","):
            if query not in QUERIES:
                raise UsageError(f'ss: "{query}" is illegal socket table id\n{USAGE}')
            self.kinds |= set(QUERIES[query])

    def _take_family(self, value: str) -> None:
        if value not in ("inet", "unix", "inet6", "link", "netlink"):
            raise UsageError(f'ss: "{value}" is invalid family\n{USAGE}')
        self.kinds |= set({"inet": ("tcp", "udp"), "unix": ("unix",)}.get(value, ("none",)))

    def _take_states(self, words: list[str]) -> list[str]:
        is_first = True
        while words and words[0] in ("state", "exclude", "excl"):
            if len(words) < 2:
                raise UsageError(f"ss: wrong state name: {words[0]}\n")
            named = STATES.get(words[1].lower())
            if named is None:
                raise UsageError(f"ss: wrong state name: {words[1]}\n")
            if words[0] == "state":
                self.states = named if is_first else self.states | named
            else:
                self.states = (_ALL if is_first else self.states) - named
            is_first = False
            words = words[2:]
        return words

    def wants(self, one: Socket) -> bool:
        """Return whether a socket is of the kinds and states asked for."""
        return one.kind in self.kinds and one.state in self.states

    @property
    def hidden(self) -> set[int]:
        """The columns that would say the same in every row."""
        hidden = {NETID} if len(self.kinds) == 1 and "unix" not in self.kinds else set()
        return hidden | ({STATE} if len(self.states) == 1 else set())

    def row(self, one: Socket) -> list[str]:
        """Return a socket's texts, one for each column."""
        local, local_port, remote, remote_port = self._unix(one) if one.kind == "unix" else self._inet(one)
        return [
            NETIDS[one.kind],
            NAMES[one.state],
            f"{one.unread:<6}",
            f"{one.unsent:<6}",
            local,
            local_port,
            remote,
            remote_port,
            "".join(f" {part}" for part in self._more(one)),
        ]

    def _unix(self, one: Socket) -> tuple[str, str, str, str]:
        name = one.local.address if one.local.address.startswith("/") else "*"
        return f"{name} ", str(one.inode), "* ", str(one.peer_inode)

    def _inet(self, one: Socket) -> tuple[str, str, str, str]:
        return (
            f"{one.local.address}:",
            self._port(one, one.local.port),
            f"{one.remote.address}:",
            self._port(one, one.remote.port),
        )

    def _port(self, one: Socket, port: int) -> str:
        if not port:
            return "*"
        return str(port) if "n" in self.flags else port_name(port, one.kind) or str(port)

    def _more(self, one: Socket) -> Iterable[str]:
        if "p" in self.flags and one.process is not None:
            yield f'users:(("{command_name(one.process)}",pid={one.process.pid},fd={one.fd}))'
        if "o" in self.flags or "e" in self.flags:
            if one.seconds_left is not None:
                yield f"timer:(timewait,{_duration(one.seconds_left)},0)"
            elif one.retry is not None:
                yield f"timer:(on,{_duration(one.retry[0])},{one.retry[1]})"
        if "e" in self.flags:
            if one.kind != "unix":
                yield f"ino:{one.inode} sk:{one.number:x}"
            yield "-->" if one.state is State.CLOSE_WAIT else "<->"


def _default_states(flags: set[str]) -> frozenset[State]:
    if "a" in flags:
        return _ALL
    if "l" in flags:
        return frozenset({State.LISTEN, State.CLOSED})
    return _CONNECTED - {State.TIME_WAIT, State.SYN_RECEIVED}


def _duration(seconds: float) -> str:
    """As misc/ss.c, print_ms_timer, has it: 55sec, 1.200ms, 3min12sec."""
    milliseconds = max(round(seconds * 1000), 0)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    whole, milliseconds = divmod(milliseconds, 1000)
    if minutes > 9:
        whole = 0
    if minutes or whole > 9:
        milliseconds = 0
    text = f"{minutes}min" if minutes else ""
    if whole:
        text += f"{whole}{'.' if milliseconds else 'sec'}"
    return text + (f"{milliseconds:03d}ms" if milliseconds else "")


def _summary(sockets: list[Socket]) -> str:
    states = Counter(one.state for one in sockets if one.kind == "tcp")
    tcp = states.total()
    estimated = states[State.ESTABLISHED]
    waiting = states[State.TIME_WAIT]
    orphaned = sum(one.kind == "tcp" and one.process is None and one.seconds_left is None for one in sockets)
    closed = waiting + orphaned
    udp = sum(one.kind == "udp" for one in sockets)
    lines = [
        f"Total: {len(sockets) - closed}",
        f"TCP:   {tcp} (estab {estimated}, closed {closed}, orphaned {orphaned}, timewait {waiting})",
        "",
        "Transport Total     IP        IPv6",
    ]
    for name, number in (("RAW", 0), ("UDP", udp), ("TCP", tcp - waiting), ("INET", udp + tcp - waiting), ("FRAG", 0)):
        lines.append(f"{name}\t  {number:<9d} {number:<9d} {0:<9d}")
    return "\n".join([*lines, "", ""])


async def ss(invocation: Invocation) -> int:
    """Run ss."""
    host = invocation.process.host
    try:
        asked = Ss(list(invocation.argv[1:]))
        condition = None
        if asked.filter_words:
            condition = Filter(asked.filter_words, lambda name: network().resolve(host, name)).condition()
    except UsageError as problem:
        invocation.err(str(problem))
        return USAGE_CODE
    except FilterSyntaxError:
        invocation.err(f'ss: bison bellows (while parsing filter): "syntax error!" Sorry.\n{USAGE}')
        return USAGE_CODE
    except AddressError as problem:
        invocation.err(f"Error: {problem}\nCannot parse dst/src address.\n")
        return 1
    if asked.flags & {"h", "V"}:
        invocation.out(USAGE if "h" in asked.flags else f"{VERSION}\n")
        return 0
    sockets = sockets_of(host)
    if "s" in asked.flags:
        invocation.out(_summary(sockets))
        return 0
    found = [one for one in sockets if asked.wants(one) and (condition is None or condition(one))]
    rows = [asked.row(one) for one in found]
    if "H" not in asked.flags:
        rows.insert(0, list(HEADER))
    for line in laid_out(rows, asked.hidden, invocation.columns):
        invocation.out(f"{line}\n")
        await invocation.drain()
    return 0
