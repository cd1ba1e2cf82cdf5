"""The states of one end of a TCP connection: the table that `tcp` obeys, and the picture drawn from it.

Theory of operation. RFC 9293 (3.3.2, figure 5) has eleven states; what moves an end from one to another is a call of
its program, a segment that arrives, or an acknowledgement. The table has them all, and `tcp` asks it for nothing but
the next state: an event that has no place in a state is a bug of ours (KeyError).

    after(State.ESTABLISHED, Event.FIN_ARRIVES)   ->  State.CLOSE_WAIT       our program is told of the end
    after(State.CLOSE_WAIT, Event.CLOSE)          ->  State.LAST_ACK         FIN is sent

How it differs from figure 5: acknowledgements without data are no segments here, so a FIN counts as acknowledged when
it arrives; TIME-WAIT is the last state of an end that closed first, and nothing waits in it; a reset, or giving up,
leads to CLOSED from everywhere (the RFC says so in words, 3.5.2). Made as h11 makes its state machines.

    python -m cluster_engine.world.tcp_states > docs/pictures/tcp-states.md
"""

from collections.abc import Iterator
from enum import Enum


class State(Enum):
    """What an end is in; the values are the names that `ss` and the RFC have for them."""

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class Event(Enum):
    """What happens to an end; the values are figure 5's: what happens, and after the stroke what is sent."""

    CONNECT = "connect / SYN"
    SYN_ARRIVES = "SYN / SYN, ACK"
    SYN_ACK_ARRIVES = "SYN, ACK / ACK"
    ACK_ARRIVES = "ACK of SYN"
    CLOSE = "close / FIN"
    FIN_ARRIVES = "FIN / ACK"
    FIN_ACKNOWLEDGED = "ACK of FIN"
    ABORT = "RST, or given up"


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.CLOSED: {
        Event.CONNECT: State.SYN_SENT,
        # What was under way when the connection was reset finds nobody.
        Event.FIN_ARRIVES: State.CLOSED,
        Event.FIN_ACKNOWLEDGED: State.CLOSED,
        Event.ABORT: State.CLOSED,
    },
    State.LISTEN: {
        Event.SYN_ARRIVES: State.SYN_RECEIVED,
    },
    State.SYN_SENT: {
        Event.SYN_ACK_ARRIVES: State.ESTABLISHED,
        Event.FIN_ARRIVES: State.SYN_SENT,  # without a SYN it is dropped (3.10.7.3)
        Event.ABORT: State.CLOSED,
    },
    State.SYN_RECEIVED: {
        Event.ACK_ARRIVES: State.ESTABLISHED,
        Event.CLOSE: State.FIN_WAIT_1,
        Event.ABORT: State.CLOSED,
    },
    State.ESTABLISHED: {
        Event.CLOSE: State.FIN_WAIT_1,
        Event.FIN_ARRIVES: State.CLOSE_WAIT,
        Event.ABORT: State.CLOSED,
    },
    State.FIN_WAIT_1: {
        Event.FIN_ACKNOWLEDGED: State.FIN_WAIT_2,
        Event.FIN_ARRIVES: State.CLOSING,
        Event.ABORT: State.CLOSED,
    },
    State.FIN_WAIT_2: {
        Event.FIN_ARRIVES: State.TIME_WAIT,
        Event.ABORT: State.CLOSED,
    },
    State.CLOSE_WAIT: {
        Event.CLOSE: State.LAST_ACK,
        Event.ABORT: State.CLOSED,
    },
    State.CLOSING: {
        Event.FIN_ACKNOWLEDGED: State.TIME_WAIT,
        Event.ABORT: State.CLOSED,
    },
    State.LAST_ACK: {
        Event.FIN_ACKNOWLEDGED: State.CLOSED,
        Event.ABORT: State.CLOSED,
    },
    State.TIME_WAIT: {
        Event.ABORT: State.CLOSED,
    },
}

MAY_SEND_FIN = frozenset(state for state, events in TRANSITIONS.items() if Event.CLOSE in events)
BOTH_HAVE_ENDED = frozenset({State.CLOSING, State.LAST_ACK, State.TIME_WAIT, State.CLOSED})
"""In CLOSED too, unless the connection was aborted, both ends have sent a FIN."""
HAS_SENT_FIN = BOTH_HAVE_ENDED | {State.FIN_WAIT_1, State.FIN_WAIT_2}
HAS_SEEN_FIN = BOTH_HAVE_ENDED | {State.CLOSE_WAIT}


def after(state: State, event: Event) -> State:
    """Return the state that follows; KeyError where the event has no place in the state."""
    return TRANSITIONS[state][event]


def drawn() -> str:
    """Return the table as a page of Markdown with a Mermaid diagram. Resets, which lead to CLOSED, are not drawn."""
    return "\n".join(["# The states of a TCP connection's end", "", PROSE, "", "```mermaid", *_diagram(), "```", ""])


PROSE = (
    "Drawn from the table in `cluster_engine/world/tcp_states.py` by `python -m cluster_engine.world.tcp_states`.\n"
    "A reset, or giving up, leads to CLOSED from everywhere and is not drawn. Compare RFC 9293, figure 5."
)


def _diagram() -> Iterator[str]:
    yield "stateDiagram-v2"
    for state in State:
        yield f'    state "{state.value}" as {state.name}'
    for state, events in TRANSITIONS.items():
        for event, next_ in events.items():
            if event is not Event.ABORT and next_ is not state:
                yield f"    {state.name} --> {next_.name}: {event.value}"


if __name__ == "__main__":
    print(drawn(), end="")
