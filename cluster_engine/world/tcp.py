"""A TCP connection as its two ends, each an asyncio transport.

Theory of operation. What a program writes at one end becomes *segments*; each is delivered at the other end one link
latency later, in order. A connection opens with SYN, SYN-ACK, ACK, closes with FIN in each direction and breaks with
RST, and every segment is told to the tap at the moment it arrives (or is lost).

Flow control is real: at most WINDOW_BYTES may be under way or lie unread at the other end. A reader that pauses
therefore stops the writer: first the sender's buffer fills, then asyncio's `pause_writing` reaches the writing program.

While the network lets nothing through, what is to be sent waits and is tried again after 0.2, 0.4, 0.8 … seconds, as
Linux does it (tcp_retries2 = 15); after about fifteen minutes the connection fails with ETIMEDOUT.

    client                         server
      |  S   seq=0                   |
      |----------------------------->|     listening: an End is made; not listening: RST, "connection refused"
      |                  SA  ack=1   |
      |<-----------------------------|
      |  A                           |     the server's program hears of it now
      |----------------------------->|
      |  PA  "hello"                 |

What an end is in between is `state`, one of `tcp_states`.

What it leaves out: acknowledgements without data, congestion control, MSS (a segment carries up to 64 KiB, as captures
on hosts with segmentation offload show), waiting in TIME-WAIT (a host remembers it, for ss), checksums. What a bad link
does to segments: `noise`.
"""

import asyncio
import contextvars
import errno
import functools
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from cluster_engine.world.arrivals import Arrivals
from cluster_engine.world.captures import Captures, Frame, Way, back
from cluster_engine.world.noise import RETRANSMIT_SECONDS, Fate, Narrow, Noise, damage
from cluster_engine.world.sockets import Machine, Owner, SocketFacts, as_told
from cluster_engine.world.tap import Endpoint, Segment, Tap
from cluster_engine.world.tcp_states import HAS_SEEN_FIN, HAS_SENT_FIN, MAY_SEND_FIN, Event, State, after
from cluster_engine.world.timers import TimedLoop

SEGMENT_BYTES_MAX = 64 * 1024
WINDOW_BYTES = 256 * 1024
SEND_BUFFER_HIGH_BYTES = 64 * 1024
SEND_BUFFER_LOW_BYTES = 16 * 1024
NOTHING_TOLD: Mapping[str, Any] = MappingProxyType({})
RETRANSMIT_SECONDS_MAX = 120.0
FIN_UNDER_WAY = frozenset({State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK})
RETRANSMITS_MAX = 15


class Network(Protocol):
    """What an end needs of the network that it is plugged into."""

    loop: TimedLoop
    tap: Tap | None
    arrivals: Arrivals
    captures: Captures

    def passes(self, path: Sequence[Machine]) -> bool:
        """Whether a segment sent now over these machines would arrive."""
        ...

    narrow: dict[tuple[str, str], Narrow]

    def noise_along(self, path: Sequence[Machine]) -> Noise | None:
        """How bad the way is; None: not at all."""
        ...

    def queued_along(self, path: Sequence[Machine], size: int) -> float:
        """How much later a segment arrives for the narrow links on its way."""
        ...

    def next_segment_number(self) -> int:
        """Count segments, from 1, without a gap."""
        ...

    def end_gone(self, end: "End") -> None:
        """Called when an end is gone."""
        ...


class End(asyncio.Transport):
    """One end of a connection. `peer` is the other; both belong to processes, which may die under them."""

    def __init__(self, network: Network, process: Owner, local: Endpoint, remote: Endpoint, *, is_client: bool) -> None:
        super().__init__()
        self.network, self.process, self.local, self.remote = network, process, local, remote
        self.loop = network.loop
        self.is_client = is_client
        self.state = State.CLOSED if is_client else State.LISTEN
        self.peer: End | None = None
        self.number = 0
        self.latency = 0.0
        self.path: Sequence[Machine] = ()
        """The machines over which its segments go, its own first."""
        self.context = contextvars.copy_context()
        self.protocol: Any = None
        self.wire: Way = (local, remote)
        """How its segments are addressed on the links, where packet filters have translated them."""
        self.target: Machine | None = None
        """Who is to answer, as long as there is no `peer`."""
        self.facts = SocketFacts(local, remote, is_unix=not (local.port or remote.port))
        self.told: Mapping[str, Any] = NOTHING_TOLD
        """What the world lets the other end's program know of this one, as `get_extra_info`; no wire carries it."""
        # sending
        self.sequence = 0
        self._to_send: deque[bytes] = deque()
        self._to_send_bytes = 0
        self._under_way = 0
        self._in_flight: deque[Callable[[], None]] = deque()
        self._arrives_at = 0.0
        self._fin_wanted = False
        self._writer_paused = False
        self._high, self._low = SEND_BUFFER_HIGH_BYTES, SEND_BUFFER_LOW_BYTES
        self._retries = 0
        self._retry_timer: asyncio.TimerHandle | None = None
        # receiving
        self._unread: deque[bytes] = deque()
        self._unread_bytes = 0
        self._reader_paused = False
        self._eof_told = False
        self._closing = self.is_gone = False
        self.fd = process.descriptors.open()
        process.ends[self] = None

    def on(self, event: Event) -> None:
        """Go on to the next state; KeyError where the event has no place in this one."""
        self.state = after(self.state, event)
        if self.state is State.TIME_WAIT and self.local.port:
            self.process.host.time_waits.add(self.local, self.remote, self.loop.time())

    @property
    def queues(self) -> tuple[int, int]:
        """Bytes that the program has not read yet, and bytes of its that have not arrived; a FIN unread counts as one.

        As ss has them in Recv-Q and Send-Q (net/ipv4/tcp_diag.c, tcp_diag_get_info).
        """
        fin = self.state in HAS_SEEN_FIN and not self._eof_told
        return self._unread_bytes + fin, self._to_send_bytes + self._under_way

    @property
    def next_retry(self) -> tuple[float, int] | None:
        """In how many seconds what is not acknowledged is sent again, and how often it was; None: nothing waits."""
        timer = self._retry_timer
        return None if timer is None else (timer.when() - self.loop.time(), self._retries)

    # -- asyncio.Transport -------------------------------------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Tell "peername", "sockname", "socket", and what is `told` at the other end."""
        match name:
            case "peername":
                return as_told(self.remote)
            case "sockname":
                return as_told(self.local)
            case "socket":
                return self.facts
        return default if self.peer is None else self.peer.told.get(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See asyncio."""
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """See asyncio."""
        return self.protocol  # type: ignore[no-any-return]

    def is_closing(self) -> bool:
        """See asyncio."""
        return self._closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Queue bytes for the other end."""
        if self._closing or self._fin_wanted or not data:
            return
        if len(data) <= SEGMENT_BYTES_MAX and not self._to_send and self._may_send_at_once():
            self._send_data(bytes(data))
            return
        self._to_send.append(bytes(data))
        self._to_send_bytes += len(data)
        self._transmit()
        if self._to_send_bytes > self._high and not self._writer_paused:
            self._writer_paused = True
            self.protocol.pause_writing()

    def write_eof(self) -> None:
        """Half-close: FIN after what is queued; reading goes on."""
        self._fin_wanted = True
        self._transmit()

    def can_write_eof(self) -> bool:
        """True: TCP can."""
        return True

    def close(self) -> None:
        """FIN after what is queued, then tell the protocol."""
        if self._closing:
            return
        self._closing = self._fin_wanted = True
        if self.state in HAS_SENT_FIN:  # by write_eof
            self.loop.call_soon(self._lost, None, context=self.context)
        else:
            self._transmit()

    def abort(self) -> None:
        """RST at once."""
        if not self.is_gone:
            self._break(None)

    def forget(self) -> None:
        """Be gone without a word, as where the kernel has lost it; the program is told that it was aborted."""
        self._break(ConnectionAbortedError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED)), silently=True)

    def _break(self, reason: BaseException | None, *, silently: bool = False) -> None:
        if not silently:
            self._send_reset()
        self.on(Event.ABORT)
        self._lost(reason)

    def pause_reading(self) -> None:
        """Leave bytes unread; the other end's window closes."""
        self._reader_paused = True

    def resume_reading(self) -> None:
        """Take the unread bytes and go on."""
        if not self._reader_paused:
            return
        self._reader_paused = False
        if self._unread or self.state in HAS_SEEN_FIN:
            self.loop.call_soon(self._hand_over, context=self.context)

    def read_on(self) -> None:
        """Go on where the program had hung."""
        if self._unread or self.state in HAS_SEEN_FIN:
            self.loop.call_soon(self._hand_over, context=self.context)

    def is_reading(self) -> bool:
        """See asyncio."""
        return not self._reader_paused and not self._closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See asyncio."""
        self._high = SEND_BUFFER_HIGH_BYTES if high is None else high
        self._low = self._high // 4 if low is None else low

    def get_write_buffer_size(self) -> int:
        """Bytes queued and not yet sent."""
        return self._to_send_bytes

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """See asyncio."""
        return self._low, self._high

    # -- sending -----------------------------------------------------------------------------------------------------

    def _transmit(self) -> None:
        if self._retry_timer is not None:
            return
        while self._to_send and self._window_open():
            if not self._link_is_up():
                return
            self._send_data(self._next_payload())
        if self._writer_paused and self._to_send_bytes <= self._low:
            self._writer_paused = False
            self.protocol.resume_writing()
        if self._fin_wanted and not self._to_send and self.state in MAY_SEND_FIN and self._link_is_up():
            self._send_fin()

    def _may_send_at_once(self) -> bool:
        return self._retry_timer is None and self._window_open() and self._passes()

    def _window_open(self) -> bool:
        peer = self.peer
        return peer is None or self._under_way + peer._unread_bytes < WINDOW_BYTES

    def _next_payload(self) -> bytes:
        payload = self._to_send.popleft()
        if len(payload) > SEGMENT_BYTES_MAX:
            self._to_send.appendleft(payload[SEGMENT_BYTES_MAX:])
            payload = payload[:SEGMENT_BYTES_MAX]
        elif self._to_send:
            parts = [payload]
            size = len(payload)
            while self._to_send and size + len(self._to_send[0]) <= SEGMENT_BYTES_MAX:
                part = self._to_send.popleft()
                parts.append(part)
                size += len(part)
            payload = b"".join(parts)
        self._to_send_bytes -= len(payload)
        return payload

    def _send_data(self, payload: bytes) -> None:
        self._under_way += len(payload)
        sent, sequence = self.loop.time(), self.sequence
        self.sequence += len(payload)
        network = self.network
        queued = network.queued_along(self.path, len(payload)) if network.narrow else 0.0
        noise = network.noise_along(self.path)
        if noise is None:
            self.leaves("PA", sequence, payload)
            self.put_on_wire(functools.partial(self._data_arrives, sent, sequence, payload, is_told=False), queued)
            return
        fate = noise.fate()
        if fate.damaged:
            payload = damage(payload)
        self._tell_fate(fate, sent, sequence, payload)
        arrive = functools.partial(self._data_arrives, sent, sequence, payload, is_told=True)
        self.put_on_wire(arrive, fate.delay + queued)

    def _data_arrives(self, sent: float, sequence: int, payload: bytes, *, is_told: bool) -> None:
        self._under_way -= len(payload)
        if not is_told:
            self.tell("PA", sent, sequence, payload)
        if self.peer is not None:
            self.peer.data_arrived(payload)
        if self._to_send:  # the window was full; the acknowledgement that opens it comes one latency later
            self.loop.call_later(self.latency, self._window_opened, context=self.context)

    def _tell_fate(self, fate: Fate, sent: float, sequence: int, payload: bytes) -> None:
        """Tell the tap of each sending and arrival when it happens; the receiver's program may get the bytes later."""
        for lost_at in (0.0, *fate.resent)[: len(fate.resent)]:
            self.loop.call_at(sent + lost_at, self._tell_lost, sequence, payload)
        self.loop.call_at(sent + sum(fate.resent[-1:]), self.leaves, "PA", sequence, payload)
        for _ in range(2 if fate.repeated else 1):
            when = sent + self.latency + fate.delay
            self.loop.call_at(when, self.tell, "PA", sent + sum(fate.resent[-1:]), sequence, payload)

    def _tell_lost(self, sequence: int, payload: bytes) -> None:
        self.tell("PA", self.loop.time(), sequence, payload, lost=True)

    def _window_opened(self) -> None:
        if not self.is_gone:
            self._transmit()

    def _send_fin(self) -> None:
        self.on(Event.CLOSE)
        sequence = self.sequence
        sent = self.leaves("FA", sequence)
        self.sequence += 1

        def arrive() -> None:
            self.tell("FA", sent, sequence)
            self.on(Event.FIN_ACKNOWLEDGED)
            if self.peer is not None:
                self.peer.fin_arrived()

        self.put_on_wire(arrive)
        if self._closing:
            self.loop.call_soon(self._lost, None, context=self.context)
        elif self._eof_told:
            self.close()

    def _send_reset(self) -> None:
        if self.peer is None or self.peer.is_gone or not self._passes():
            return
        sequence = self.sequence
        sent = self.leaves("RA", sequence)

        def arrive() -> None:
            self.tell("RA", sent, sequence)
            if self.peer is not None:
                self.peer.reset_arrived()

        self.put_on_wire(arrive)

    def put_on_wire(self, arrive: Callable[[], None], delay: float = 0.0) -> None:
        """Have `arrive` called one latency and `delay` later, never before what was sent earlier."""
        self._in_flight.append(arrive)
        peer = self.peer
        context = peer.context if peer is not None else self.context
        self._arrives_at = max(self._arrives_at, self.loop.time() + self.latency + delay)
        self.network.arrivals.add(self._arrives_at, context, self._arrive_next)

    def _arrive_next(self) -> None:
        self._in_flight.popleft()()

    def leaves(self, flags: str, sequence: int, payload: bytes = b"") -> float:
        """Let captures hear of a segment that leaves now; return when that is."""
        if self.network.captures and self.remote.port:
            self._capture(flags, sequence, payload, is_leaving=True)
        return self.loop.time()

    def _capture(self, flags: str, sequence: int, payload: bytes, *, is_leaving: bool) -> None:
        peer = self.peer
        receiver = peer.process.host if peer is not None else self.target
        if receiver is None:
            return
        between = (self.local, self.remote)
        if not is_leaving:
            between = self.wire if peer is None else (peer.remote, peer.local)
        self.network.captures.tell(
            Frame(
                "tcp",
                self.process.host,
                receiver,
                between,
                self.wire,
                is_leaving,
                flags,
                sequence,
                0 if peer is None else peer.arrived,
                WINDOW_BYTES - self._unread_bytes,
                payload,
            )
        )

    def capture_answer(self, flags: str, *, is_leaving: bool) -> None:
        """Let captures hear of what a kernel answers for nobody: a reset ("RA"), or that no port is there ("U")."""
        if not self.network.captures or self.target is None:
            return
        here, target = self.process.host, self.target
        between = back(self.wire) if is_leaving else (self.remote, self.local)
        if flags == "U":
            away = Endpoint(target.address, 0), Endpoint(self.local.address, 0)
            frame = Frame("icmp", target, here, away, away, is_leaving, flags, about=("tcp", *back(between)))
        else:
            frame = Frame("tcp", target, here, between, back(self.wire), is_leaving, flags, 0, 1)
        self.network.captures.tell(frame)

    @property
    def arrived(self) -> int:
        """Up to which sequence number what it has sent has arrived."""
        return self.sequence - self._under_way - (self.state in FIN_UNDER_WAY)

    def tell(self, flags: str, sent: float, sequence: int, payload: bytes = b"", *, lost: bool = False) -> None:
        """Tell the tap of a segment from this end that has arrived now, or was lost; captures hear of it too."""
        if self.network.captures and self.remote.port:
            self._capture(flags, sequence, payload, is_leaving=lost)
        tap = self.network.tap
        if tap is not None:
            peer = self.peer
            tap.segment(
                Segment(
                    self.network.next_segment_number(),
                    self.number,
                    self.is_client,
                    sent,
                    None if lost else self.loop.time(),
                    flags,
                    sequence,
                    peer.sequence if peer is not None else 0,
                    payload,
                )
            )

    def _passes(self) -> bool:
        return self.peer is not None and self.network.passes(self.path)

    def _link_is_up(self) -> bool:
        if self._passes():
            self._retries = 0
            return True
        self.tell("PA", self.loop.time(), self.sequence, lost=True)
        if self._retries == RETRANSMITS_MAX:
            self._break(TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)), silently=True)
            return False
        delay = min(RETRANSMIT_SECONDS * 2**self._retries, RETRANSMIT_SECONDS_MAX)
        self._retries += 1
        self._retry_timer = self.loop.call_later(delay, self._retry, context=self.context)
        return False

    def _retry(self) -> None:
        self._retry_timer = None
        if not self.is_gone:
            self._transmit()

    # -- receiving ---------------------------------------------------------------------------------------------------

    def data_arrived(self, payload: bytes) -> None:
        """Take bytes from the wire; one that is closed already answers with RST, as a kernel does."""
        if self._closing:
            self._send_reset()
            return
        if self._reader_paused or self._unread or self.process.hangs:
            self._unread.append(payload)
            self._unread_bytes += len(payload)
            return
        self.protocol.data_received(payload)

    def _hand_over(self) -> None:
        while self._unread and not self._reader_paused and not self._closing and not self.process.hangs:
            payload = self._unread.popleft()
            self._unread_bytes -= len(payload)
            self.protocol.data_received(payload)
        if not self._unread and self.state in HAS_SEEN_FIN and not self._closing:
            self._tell_eof()
        peer = self.peer
        if peer is not None and peer._to_send:
            self.loop.call_later(self.latency, peer._transmit, context=peer.context)

    def fin_arrived(self) -> None:
        """Take the FIN; told to the protocol after all that came before it has been read."""
        self.on(Event.FIN_ARRIVES)
        if self.protocol is None:  # overtook the SYN-ACK on a link that has become faster: there is no connection yet
            return
        if not self._closing and not self._reader_paused and not self._unread and not self.process.hangs:
            self._tell_eof()

    def _tell_eof(self) -> None:
        if self._eof_told:
            return
        self._eof_told = True
        if not self.protocol.eof_received() or self.state in HAS_SENT_FIN:  # both have said their last
            self.close()

    def reset_arrived(self) -> None:
        """Take a RST: the connection is gone."""
        self._break(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)), silently=True)

    def _lost(self, reason: BaseException | None) -> None:
        self._closing = True
        if self.is_gone:
            return
        self.is_gone = True
        self.process.ends.pop(self, None)
        self.process.descriptors.close(self.fd)
        self.network.end_gone(self)
        if self._retry_timer is not None:
            self._retry_timer.cancel()
            self._retry_timer = None
        self._to_send.clear()
        self._unread.clear()
        self._to_send_bytes = self._unread_bytes = 0
        if self.process.is_alive and self.protocol is not None:
            self.loop.call_soon(self.protocol.connection_lost, reason, context=self.context)

    def process_died(self, *, silently: bool) -> None:
        """Close as the kernel does for a dead process: FIN, or RST when bytes lie unread; nothing on a power cut."""
        if self.is_gone:
            return
        if silently or self._unread or self.state not in HAS_SENT_FIN | MAY_SEND_FIN or not self._passes():
            self._break(None, silently=silently)
            return
        if self.state in MAY_SEND_FIN:
            self._closing = True
            self._send_fin()
        self._lost(None)

    def __repr__(self) -> str:
        return f"<End {self.process.id} {self.local} → {self.remote}>"
