"""A bad link: segments that are lost, come twice, come late or come damaged, and what TCP makes of that.

Programs see a stream of bytes whatever the link does; what they notice is time, and once in a long while a connection
that breaks. So a *fate* is drawn for each segment with data, and TCP (RFC 9293, RFC 6298) deals with it:

    lost        nothing arrives; it is sent again after 0.2, 0.4, 0.8 … s. Those behind it wait in the receiver's kernel
    late        by up to `late_seconds`; overtaken by those behind it, which wait likewise; the tap sees them in the
                order in which they came
    repeated    arrives twice; the second is old and dropped, by the kernel and by whoever reads a capture
    damaged     a bit is wrong and the 16-bit checksum fits all the same: the program gets it. TLS finds it: the record
                does not authenticate, alert bad_record_mac, the connection is over

A segment whose checksum does not fit is dropped by the receiver: that is `lost`. Bare flags (SYN, FIN, RST) are spared.

    noise = Noise(random.Random(1), lost=0.1)
    noise.fate()           Fate(resent=(0.2,), delay=0.2)              one in ten
"""

import random
from dataclasses import dataclass, field

import msgspec

RETRANSMIT_SECONDS = 0.2
LOSSES_MAX = 6
LATE_SECONDS_MAX = 0.02
"""Of a bad link; who jitters says how late."""
SHARE_MAX = 0.5
HEADER_BYTES = 54
"""Of Ethernet, IPv4 and TCP without options."""


class Fate(msgspec.Struct, frozen=True):
    """What becomes of one segment: lost before each of these later sendings, then `delay` seconds later than usual."""

    resent: tuple[float, ...] = ()
    delay: float = 0.0
    repeated: bool = False
    damaged: bool = False


PLAIN = Fate()


@dataclass(slots=True)
class Noise:
    """How bad a link is: the share of segments that each thing happens to, 0 to SHARE_MAX."""

    rng: random.Random = field(repr=False)
    lost: float = 0.0
    late: float = 0.0
    repeated: float = 0.0
    damaged: float = 0.0
    late_seconds: float = LATE_SECONDS_MAX

    def fate(self) -> Fate:
        """Draw what becomes of the next segment."""
        chance = self.rng.random
        if chance() < self.lost:
            times: list[float] = []
            wait = RETRANSMIT_SECONDS
            while not times or (len(times) < LOSSES_MAX and chance() < self.lost):
                times.append((times[-1] if times else 0.0) + wait)
                wait *= 2
            return Fate(resent=tuple(times), delay=times[-1])
        if chance() < self.late:
            return Fate(delay=self.rng.uniform(0.0, self.late_seconds))
        if chance() < self.repeated:
            return Fate(repeated=True)
        return Fate(damaged=True) if chance() < self.damaged else PLAIN


@dataclass(slots=True)
class Narrow:
    """A link in one direction that takes `rate` bytes a second: segments wait in a queue until those before are sent.

    Its queue drops nothing: what one connection has under way is bounded by its window.
    """

    rate: float
    free_at: float = 0.0

    def queue(self, now: float, payload_bytes: int) -> float:
        """Take a segment; return in how many seconds the last bit of it has left."""
        self.free_at = max(self.free_at, now) + (payload_bytes + HEADER_BYTES) / self.rate
        return self.free_at - now


def damage(payload: bytes) -> bytes:
    """Flip the lowest bit of the last byte."""
    return payload[:-1] + bytes((payload[-1] ^ 1,))
