"""Datagrams between two ends, as the lens follows them: DNS is opened, echoes are named, the rest is shown as bytes.

    UDP to port 53      dns.query <- what the client does it for      dns.response <- its query, by the message's id
    ICMP echo           icmp.echo, icmp.reply
    anything else       udp.datagram

What is lost is `udp.lost`, and where nobody listens, `icmp.unreachable`. Names are read by dnspython, and what it
cannot read is bytes. Modelled on Wireshark's DNS dissector; left out: DNS over TCP.
"""

from typing import Any

from cluster_engine.lens.causes import WORK_SECONDS_MAX, Reason
from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import Evidence, Piece, pack_connection
from cluster_engine.lens.keylog import KeyLog
from cluster_engine.lens.scribe import STORY, TCP, Said, Scribe
from cluster_engine.world.tap import Connection, Segment

DNS_PORT = 53
ECHO_REQUEST = 8
QUERIES_MAX = 64
ANSWERS_SHOWN_MAX = 8


class DatagramLink:
    """All datagrams of one flow."""

    __slots__ = ("_addresses", "_connection", "_conversation", "_is_dns", "_is_echo", "_queries", "packed")

    def __init__(self, connection: Connection, scribe: Scribe, keylog: KeyLog) -> None:
        client = scribe.causes.caller(connection.client_process)
        server = scribe.causes.participant(connection.server_process or str(connection.server))
        self._conversation = Conversation(connection.number, client, server, scribe, keylog)
        self._is_echo = connection.protocol == "icmp"
        self._is_dns = connection.protocol == "udp" and connection.server.port == DNS_PORT
        self._addresses = addresses(connection)
        self._connection = connection
        self.packed = pack_connection(connection, connection.server_process)
        """The flow, as it is kept beside its datagrams."""
        self._queries: dict[int, int] = {}

    def accepted(self, process: str) -> None:
        """Name the server by the process that answers."""
        self._conversation.server = self._conversation.causes.participant(process)
        self.packed = pack_connection(self._connection, process)

    def segment(self, segment: Segment, position: int, fault: int | None) -> None:
        """Read one datagram, kept at `position`; `fault` is a fault's entry when one struck at this instant."""
        piece = Piece(0, 0, len(segment.payload), (position,))
        if segment.arrived is None:
            reason = Reason(None, "fault") if fault is None else Reason(fault)
            said = Said(TCP, "udp.lost", "datagram lost", dict(self._addresses), reason, size=len(segment.payload))
        elif segment.flags == "U":
            said = unreachable(self._conversation.reason())
        elif self._is_dns and (opened := _opened(segment.payload)) is not None:
            self._say_dns(segment, opened, piece)
            return
        else:
            said = self._plain(segment)
        self._conversation.say(segment.from_client, said, Evidence([piece]))

    def _asked(self) -> Reason:
        """Tell why the client says something now."""
        causes, scribe = self._conversation.causes, self._conversation.scribe
        return causes.origin(self._conversation.client, scribe.sent, WORK_SECONDS_MAX)

    def _plain(self, segment: Segment) -> Said:
        size = len(segment.payload)
        reason = self._asked() if segment.from_client else self._conversation.reason()
        if self._is_echo:
            request = segment.payload[:1] == bytes((ECHO_REQUEST,))
            number = int.from_bytes(segment.payload[6:8], "big")
            kind, label = ("icmp.echo", "ICMP echo request") if request else ("icmp.reply", "ICMP echo reply")
            return Said(TCP, kind, label, {**self._addresses, "icmpSequence": number}, reason, size=size)
        return Said(TCP, "udp.datagram", f"{size} bytes", dict(self._addresses), reason, size=size)

    def _say_dns(self, segment: Segment, opened: "Any", piece: Piece) -> None:
        conversation, number = self._conversation, opened["id"]
        body = Evidence([piece], body=opened.pop("text").encode(), body_type="text/plain")
        if segment.from_client:
            label = f"{opened['type']} {opened['name']}"
            said = Said(STORY, "dns.query", label, {**opened, **self._addresses}, self._asked())
            self._queries[number] = conversation.say(True, said, body)
            if len(self._queries) > QUERIES_MAX:
                del self._queries[next(iter(self._queries))]
            conversation.causes.heard(conversation.server, self._queries[number], conversation.scribe.now, ())
            return
        query = self._queries.pop(number, None)
        reason = conversation.reason() if query is None else Reason(query)
        label = opened.get("answers") or opened["status"]
        seq = conversation.say(False, Said(STORY, "dns.response", label, opened, reason, reply_to=query), body)
        conversation.causes.heard(conversation.client, seq, conversation.scribe.now, ())


def addresses(connection: Connection) -> dict[str, str]:
    """Return both ends' addresses; where packet filters rewrote them, what the server sees too."""
    ends = {"client": str(connection.client), "server": str(connection.server)}
    if connection.translated is not None:
        client, server = connection.translated
        ends |= {"clientSeenAs": str(client)} if client != connection.client else {}
        ends |= {"leadsTo": str(server)} if server != connection.server else {}
    return {end: address for end, address in ends.items() if address}  # a unix socket's client has none


def unreachable(reason: Reason) -> Said:
    """Say that a packet was answered by ICMP."""
    told = {"type": "destination unreachable", "code": "port unreachable"}
    return Said(TCP, "icmp.unreachable", "ICMP port unreachable", told, reason)


def _opened(payload: bytes) -> dict[str, Any] | None:
    """Read a DNS message; None where it is none."""
    import dns.exception  # here, for a cluster in which nobody asks for names shall not pay for it
    import dns.message
    import dns.rcode
    import dns.rdatatype

    try:
        message = dns.message.from_wire(payload)
        question = message.question[0]
        records = [record for found in message.answer for record in found]
        found = {
            "id": message.id,
            "name": question.name.to_text(omit_final_dot=True),
            "type": dns.rdatatype.to_text(question.rdtype),
            "status": dns.rcode.to_text(message.rcode()),
            "text": message.to_text(),
        }
    except (dns.exception.DNSException, IndexError, ValueError):
        return None
    if records:
        found["answers"] = ", ".join(record.to_text() for record in records[:ANSWERS_SHOWN_MAX])
    return found
