"""What people do to a cluster, one struct for each, and what is told of it.

Theory of operation. A *deed* is spelled once. As JSON it is the message of a page and the input that is kept, as
msgpack the question on the bus; `cluster_engine.run` performs it:

    {"type": "command", "id": "k1", "line": "kubectl get pods"}            Command("k1", "kubectl get pods")
    {"type": "inject", "fault": {"name": "power-off", …}, "id": "i1"}      Inject({"name": "power-off", …}, id="i1")
    {"type": "pause"}                                                      Pause()

`Act` becomes an input: it changes what follows, so a run is done again from all of them. `Drive` turns the clock and
changes nothing in the world. Bounds on lengths and ranges are in the types; whoever decodes a deed has checked them.
What an instructor's server alone may do (`Incident`, `HealIncident`) is a struct of its own, not a field of what
everybody may do: a decoder for others leaves it out of its union (`visualizer/browser_protocol.py`).

This module imports nothing of the engine, so that processes without a cluster can speak of deeds.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Identifier = Annotated[str, Meta(min_length=1, max_length=64)]
LINE_MAX = 32 * 1024
"""Characters of a command's line that a page may send. The page's socket says so in words, so the type does not."""
Cells = Annotated[int, Meta(ge=0, le=1000)]
"""Columns or rows of a terminal; 0 where its page does not say."""
STOPS_MAX = 32
"""At so many kinds of entries, of bodies and of states time may be to stop."""
STATE_MAX = 200
BODY_TEXTS_MAX = 8
BodyText = Annotated[str, Meta(max_length=100, pattern=r"[^*]")]
"""`*` stands for anything, so there is something else in it."""
Stream = Literal["stdin", "stdout", "stderr"]
Layer = Literal["story", "http", "tls", "tcp"]
"""A layer of the journal's entries; those before it are drawn above it."""


class RefusedDeedError(ValueError):
    """What was asked for cannot be done, and has not been; the text is for whoever asked.

    No other ValueError is one: a bug of ours is not to pass as a refusal.
    """


class GoneError(RefusedDeedError, LookupError):
    """What was asked about is not there, or not any more."""


class _Deed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Fields that are as usual are not written: what is kept of a deed is short."""


# Acts -----------------------------------------------------------------------------------------------------------------


class Command(_Deed, tag="command", frozen=True):
    """Type a line on the workstation; answered by {} at once, then told by `Typed`, `Output`, … and `Done`.

    Once for each id: who does not know whether it came sends it again, and is answered {"again": true} if it did.
    With a `keyboard` its programs read what `Keys` are typed; without, they come to the end of it at once. `columns`
    and `rows` are the size of the terminal that a keyboard belongs to.
    """

    id: Identifier
    line: str
    keyboard: bool = False
    columns: Cells = 0
    rows: Cells = 0


class Keys(_Deed, tag="keys", frozen=True):
    """Type a text while a command runs, for its programs to read, then Ctrl-D if it is the `end`; bounded as a line is.

    Nothing where the command is over. ValueError where it has no keyboard, or reads nothing of what is typed.
    """

    id: Identifier
    text: str = ""
    end: bool = False


class Resize(_Deed, tag="resize", frozen=True):
    """Tell a command that runs the size of its terminal, which has changed; nothing where it is over."""

    id: Identifier
    columns: Cells
    rows: Cells


class Edited(_Deed, tag="edited", frozen=True):
    """Give back the text that a command had somebody edit (`Editing`); None leaves it. Nothing where none is asked for.

    Bounded as a line is.
    """

    id: Identifier
    text: str | None = None


class Complete(_Deed, tag="complete", frozen=True):
    """Press Tab at the end of a line; answered by {"begin": 8, "words": […]}: what may stand from that character on.

    It is an act, because kubectl asks the server. Bounded as a line is.
    """

    id: Identifier
    line: str


class Interrupt(_Deed, tag="interrupt", frozen=True):
    """Press Ctrl-C on a command; where its line is over, end the jobs that it began."""

    id: Identifier


class Inject(_Deed, tag="inject", frozen=True):
    """Let a fault happen, now or once the predicate `when` holds; answered by {"fault": id | null}.

    `sealed` keeps from the journal what it is. A page finds its answer by the `id` it gave.
    """

    fault: dict[str, Any]
    when: dict[str, Any] | None = None
    sealed: bool = False
    id: Identifier | None = None


class Heal(_Deed, tag="heal", frozen=True):
    """Put right what a fault did, or all of them, those too that wait for their `when`; incidents' faults stay."""

    fault: Identifier | None = None
    id: Identifier | None = None


class Incident(_Deed, tag="incident", frozen=True):
    """Let a fault happen as an instructor's incident, which has this number in every cluster that it comes to.

    Answered as `Inject` is. ValueError where the incident is known already.
    """

    incident: int
    fault: dict[str, Any]
    when: dict[str, Any] | None = None
    sealed: bool = False


class HealIncident(_Deed, tag="healIncident", frozen=True):
    """Put right what an incident did, or keep it from happening."""

    incident: int


class Advance(_Deed, tag="advance", frozen=True):
    """Go on to a beat of the lesson."""

    beat: Identifier


class Answer(_Deed, tag="answer", frozen=True):
    """Answer a question of the lesson."""

    question: Identifier
    answer: Any


class Hint(_Deed, tag="hint", frozen=True):
    """Ask for the lesson's next hint."""


# What comes in at the gateway, which is kept as it comes --------------------------------------------------------------


class FromOutside(_Deed, tag="fromOutside", frozen=True):
    """What came in at the gateway: it was opened, or a client, by its number, has connected, said something or left.

    What is said is what is inside of its TLS, by the protocol agreed upon (`alpn`). `admin`: it has shown the
    administrator's certificate, of the kubeconfig that is given away; else it has shown none.
    """

    what: Literal["opened", "connected", "said", "left"]
    client: int = 0
    data: bytes = b""
    alpn: str = ""
    admin: bool = False


# Drives ---------------------------------------------------------------------------------------------------------------


class Pace(_Deed, tag="pace", frozen=True):
    """Set how many virtual seconds pass in a real one."""

    pace: Annotated[float, Meta(ge=0.01, le=1000)]


class Pause(_Deed, tag="pause", frozen=True):
    """Stop virtual time."""


class Resume(_Deed, tag="resume", frozen=True):
    """Let virtual time go on."""


class Step(_Deed, tag="step", frozen=True):
    """Go on to the next journal entry; answered by {"seq"} once it has come.

    With a `layer`, to the next that is drawn there and is no heartbeat.
    """

    layer: Layer | None = None


class BodyStop(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry that has all these texts in its body (`lens.searching`), and is like `entry`, where that is given."""

    texts: Annotated[list[BodyText], Meta(min_length=1, max_length=BODY_TEXTS_MAX)]
    entry: dict[str, Any] = {}


class Stops(_Deed, tag="stops", frozen=True):
    """Stop time at the next entry that is like one of these (`entry` predicates), and at no others any more.

    At the next with one of these `bodies` too, and with which an object comes into one of these `states`
    (`state.conditions`). What other pages of the cluster want stays; `page` is given by who carries the message.
    """

    entries: Annotated[list[dict[str, Any]], Meta(max_length=STOPS_MAX)] = []
    bodies: Annotated[list[BodyStop], Meta(max_length=STOPS_MAX)] = []
    states: Annotated[list[Annotated[str, Meta(max_length=STATE_MAX)]], Meta(max_length=STOPS_MAX)] = []
    page: Annotated[str, Meta(max_length=32)] = ""


Act = (
    Command
    | Keys
    | Resize
    | Edited
    | Complete
    | Interrupt
    | Inject
    | Heal
    | Incident
    | HealIncident
    | Advance
    | Answer
    | Hint
    | FromOutside
)
Drive = Pace | Pause | Resume | Step | Stops
Deed = Act | Drive


def write(act: Act) -> dict[str, Any]:
    """Write an act as a JSON document, to be kept."""
    document: dict[str, Any] = msgspec.to_builtins(act)
    return document


def read(document: Any) -> Act:
    """Read what `write` wrote. ValueError when it is no act."""
    act: Act = msgspec.convert(document, Act)
    return act


def title(act: Act) -> str:
    """Name an act so that who did it recognizes it: a command by its line. What an incident is, is not said.

    What came from outside has no name: nobody at a page did it.
    """
    match act:
        case Command(line=line):
            return line
        case Keys(text=text, end=end):
            return text.rstrip("\n") or ("Ctrl-D" if end else "Enter")
        case Inject(fault=fault):
            return f"fault {fault.get('name', '')}"
        case FromOutside():
            return ""
        case _:
            return str(act.__struct_config__.tag)


# What is told: on the bus and, of commands, to pages, in the same words -----------------------------------------------


class Input(msgspec.Struct, tag="input", frozen=True):
    """An act that was taken: the `n`th of its cluster, counted from 1, at a virtual time in seconds.

    `after` is the journal's last entry then: within one instant, it says what came before the act and what after.
    """

    n: int
    at: float
    act: Act
    after: int = 0


class Typed(msgspec.Struct, tag="typed", frozen=True):
    """A line was typed, by somebody at a page or by the lesson, behind a prompt; what comes of it has the same id.

    `after`, here and in what comes of it, is the journal's last entry when it was said: where a page that looks at the
    past puts it.
    """

    id: str
    line: str
    by: Literal["page", "lesson"] = "page"
    prompt: str = ""
    after: int = 0


class Output(msgspec.Struct, tag="output", frozen=True):
    """What a command wrote, or as `stdin` what was typed to it, as terminals echo it; `n` counts its frames from 1."""

    id: str
    n: int
    stream: Stream
    text: str
    after: int = 0


class Reads(msgspec.Struct, tag="reads", frozen=True):
    """A program of a command waits for what is typed; or, with `reads` false, has come to its end."""

    id: str
    n: int
    reads: bool
    after: int = 0


class Editing(msgspec.Struct, tag="editing", frozen=True):
    """A program asks for a text to be edited, and waits for `Edited`; `problem` is what came of the last try."""

    id: str
    n: int
    name: str
    text: str
    problem: str = ""
    after: int = 0


class Background(msgspec.Struct, tag="background", frozen=True):
    """A command's line is over, but not the jobs that it began: what they print comes until `Done`.

    The terminal's next line stands behind this prompt, "worker-1:/etc$".
    """

    id: str
    n: int
    prompt: str
    after: int = 0


class Done(msgspec.Struct, tag="done", frozen=True):
    """A command has ended, and the jobs that it began; the terminal's next line stands behind this prompt."""

    id: str
    n: int
    code: int
    prompt: str = ""
    after: int = 0


class NotKept(msgspec.Struct, tag="notKept", frozen=True):
    """After entry `seq` a client from outside said what is not among the inputs: it cannot be said again."""

    seq: int


class Applied(msgspec.Struct, tag="applied", frozen=True):
    """A fault was let happen, at a virtual time, or could not be: then `problem` says why."""

    incident: int | None
    fault: str | None
    at: float
    problem: str | None = None


Frame = Output | Reads | Editing | Background | Done
"""What comes of a command, numbered."""
Told = Input | Typed | Frame | Applied | NotKept


def taken_before(inputs: Sequence[Input], seq: int, instant: float) -> list[Input]:
    """Return what had been done when entry `seq` was written, at this instant."""
    return [one for one in inputs if one.at < instant or (one.at == instant and one.after < seq)]


def last_undoable(inputs: Sequence[Input]) -> Input | None:
    """Find what an undo takes back: the last act but the keys of a command. An instructor's incident is nobody's."""
    for one in reversed(inputs):
        if isinstance(one.act, Incident | HealIncident):
            return None
        if not isinstance(one.act, Keys | Resize | Edited | Complete | Interrupt | FromOutside):
            return one
    return None
