"""Captures: who listens at the interfaces of a machine or a pod, as tcpdump does, and what is heard there.

Theory of operation. What a host sends or gets is a *frame*, told twice to whoever captures on the machines concerned:
when it leaves its sender and when it arrives; a lost one only leaves. A capture is passive, hears bytes as they cross
(of TLS the records), and costs nothing where there is none. Between two machines a frame travels with the addresses
that packet filters have made of it (`wire`); a pod sees those that it uses itself (`between`).

    worker-1/curl → 10.96.4.7:80      between 10.0.0.11:40000 → 10.96.4.7:80      wire 10.0.0.11:40000 → 10.244.2.3:8080

Modelled on packet sockets (packet(7)). Left out: machines that only pass a packet on, acknowledgements without data
(there are none here), TCP options.
"""

from typing import Protocol

import msgspec

from cluster_engine.world.sockets import Machine
from cluster_engine.world.tap import Endpoint

Way = tuple[Endpoint, Endpoint]
"""From where to where."""


def back(way: Way) -> Way:
    """Return the way of an answer."""
    return way[1], way[0]


class Frame(msgspec.Struct, frozen=True):
    """One packet at one of its ends. `protocol`: "tcp", "udp" or "icmp"; the next four fields are TCP's.

    `flags` as of a tap's Segment. An ICMP message is its `payload`; or it says that a port is unreachable, and `about`
    is what it answers: a protocol, from where, to where.
    """

    protocol: str
    sender: Machine
    receiver: Machine
    between: Way
    wire: Way
    is_leaving: bool
    flags: str = ""
    sequence: int = 0
    acknowledgement: int = 0
    window: int = 0
    payload: bytes = b""
    about: tuple[str, Endpoint, Endpoint] | None = None

    @property
    def here(self) -> Machine:
        """The host at which it is heard."""
        return self.sender if self.is_leaving else self.receiver


class Capture(Protocol):
    """Whoever listens. It is called at the instant in which a frame passes, and has to be quick."""

    def frame(self, frame: Frame) -> None:
        """Hear a frame that a machine, or a pod on it, sends or gets."""
        ...


class Captures:
    """All captures of a network, each on a machine."""

    def __init__(self) -> None:
        self._captures: dict[Capture, Machine] = {}

    def __bool__(self) -> bool:
        return bool(self._captures)

    def begin(self, capture: Capture, host: Machine) -> None:
        """Let a capture hear what passes a host's machine."""
        self._captures[capture] = host.machine

    def end(self, capture: Capture) -> None:
        """Let it hear no more."""
        self._captures.pop(capture, None)

    def tell(self, frame: Frame) -> None:
        """Tell of a frame."""
        machine = frame.here.machine
        for capture, where in list(self._captures.items()):
            if where is machine:
                capture.frame(frame)
