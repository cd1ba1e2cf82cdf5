"""What the commands of one cluster said last: for who comes later, and for who has missed some of it.

The process of a cluster keeps what it says, a web process what it hears; so whoever sees a gap in the cluster's stream
asks the cluster (`messages.Recap`) and takes the answer like any other message: what is known is passed over.

    terminals.take(Typed("k", "ls"))                True     the line, then frames 1, 2, …
    terminals.take(Output("k", 1, "stdout", "a"))   True
    terminals.take(Output("k", 1, "stdout", "a"))   False    known: a replay says all again
    terminals.after({"k": 0})                       [Output("k", 1, …)]    beyond what a page has heard of each
"""

from collections import OrderedDict, deque

from cluster_engine.deeds import Editing, Frame, Output, Typed

TERMINALS_MAX = 32  # commands whose output is kept
TERMINAL_FRAMES_MAX = 256
TERMINAL_CHARACTERS_MAX = 256 * 1024  # of each; a page keeps less
TERMINALS_CHARACTERS_MAX = 1024 * 1024  # of what is told of them at once


class Terminals:
    """The last commands of a cluster, and the last of what each said."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[str, Terminal] = OrderedDict()

    def __contains__(self, identifier: str) -> bool:
        """Whether anything is known of a command."""
        return identifier in self._by_id

    def take(self, message: Typed | Frame) -> bool:
        """Take a message; False when it is known."""
        if not self._by_id.setdefault(message.id, Terminal()).take(message):
            return False
        while len(self._by_id) > TERMINALS_MAX:
            self._by_id.popitem(last=False)
        return True

    def after(self, known: dict[str, int]) -> list[Typed | Frame]:
        """Return what was typed and printed beyond these commands' frames; of much, the newest commands."""
        missing: list[list[Typed | Frame]] = []
        size = 0
        for identifier, terminal in reversed(self._by_id.items()):
            said = terminal.after(known.get(identifier, -1))
            size += sum(map(length_of, said))
            if missing and size > TERMINALS_CHARACTERS_MAX:
                break
            missing.append(said)
        return [one for said in reversed(missing) for one in said]


class Terminal:
    """What one command said: its line, and the last of its frames."""

    def __init__(self) -> None:
        self._typed: Typed | None = None
        self._said: deque[Frame] = deque()
        self._size = 0

    def take(self, message: Typed | Frame) -> bool:
        """Take a message; False when it is known: a replay says all again."""
        if isinstance(message, Typed):
            is_new = self._typed is None and not self._said
            self._typed = self._typed or message
            return is_new
        if self._said and message.n <= self._said[-1].n:
            return False
        self._said.append(message)
        self._size += length_of(message)
        while len(self._said) > TERMINAL_FRAMES_MAX or (self._size > TERMINAL_CHARACTERS_MAX and len(self._said) > 1):
            self._size -= length_of(self._said.popleft())
        return True

    def after(self, n: int) -> list[Typed | Frame]:
        """Return what came after frame `n`, -1 for all; nothing when its beginning is not known and is asked for."""
        if n < 0 and self._typed is None:
            return []
        said: list[Typed | Frame] = [one for one in self._said if one.n > n]
        return [self._typed, *said] if n < 0 and self._typed is not None else said


def length_of(message: Typed | Frame) -> int:
    """How many characters of text a message has."""
    match message:
        case Output() | Editing():
            return len(message.text)
        case Typed():
            return len(message.line)
        case _:
            return 0
