"""Why a message was sent: found from the wire alone, never told by a component.

What a participant says, it says because of something: a message that reached it, a command that started it, or the
clock. The rules, the strongest first (`why`):

  1. serving    it is working on a request about the same object          (an API server's Txn <- the POST it serves)
  2. created    it has at this instant been answered that one like it     (the second POST of pods <- the first's 201)
                was created
  3. object     it has lately received a message about the same object    (a Binding <- the event that brought the pod)
  4. instant    it has at this instant received any message               (what it did not have to work for)
  5. opened     the connection was opened for this, its first request     (what led to the SYN led to the request)
  6. namespace  it lately received a message about the namespace          (its first ServiceAccount <- the namespace)
  7. working, program   the only request that it works on; for a command's program whatever it last received
  8. begun      it has received nothing yet: its own start, or the command
  9. else a timer.

A process that is ended (killed, asked to end, without power) ends because of the fault of that instant, else of the
command under way on its host; where there is neither, the entry says "signal". What is started once more without
either of them is started because its life before has ended (`again`).

An entry carries the rule's name (`how`); a cause without one the wire says itself: a response follows its request, an
etcd event the transaction of the same revision, a watch event the etcd event of the same key and revision, a handshake
message the one before it.

What triggered something is told apart from what it waited for (`after`): a kubelet that pulls one image after the other
pulls the second pod's because of that pod, once it has heard that the first pull is done. So rule 3 goes before rule 4,
and what rule 4 would have found is named beside it.

Programs compute between what they hear and what they say (`world/work.py`); so what concerns an object is mostly found
a while after it was heard, and a SYN, which concerns none, by the last message of the WORK_SECONDS_MAX before it.

"About the same object" is equality of tokens: uids, `resource/namespace/name`, owners', CRI ids. Housekeeping
(heartbeats) is never a cause of anything else. That an Event was taken is no news of the object it is about.

What this promises: a cause is always an earlier entry that its speaker had received (or made). What it does not: that
it was the only one; a controller that waited for three events is shown to follow the last. Every index is bounded, so
a cause too long ago is not found, and the entry says "timer". Remembered are at least the latest 4,096 facts of who
heard of which object, but none from a minute ago (rules 3 and 6 look back 30 s), 1,024 revisions of etcd and 2,048 of
its events.
"""

from hashlib import sha256
from typing import NamedTuple

from cluster_engine.journal.recent import Recent

HEARD_MAX = 8192
REVISIONS_MAX = 2048
EVENTS_MAX = 4096
PARTICIPANTS_MAX = 1024
SERVING_MAX = 512
REACTION_SECONDS_MAX = 30.0
SAME_INSTANT_SECONDS = 1e-9
CARRIED_MAX = 1024
AUDITED_MAX = 2048
WORK_SECONDS_MAX = 0.05
OUTSIDE = "outside/"

Tokens = tuple[str, ...]


class Reason(NamedTuple):
    """Why something was said: a cause's seq, or a trigger.

    `how` names the rule by which a cause was inferred (a word of `HOW`), None where the wire says so itself. `after`
    is the seq of what its speaker had to wait for besides, when that is known to be another message.
    """

    cause: int | None
    trigger: str | None = None
    how: str | None = None
    after: int | None = None


TIMER = Reason(None, "timer")
HOW = ("serving", "created", "object", "instant", "opened", "namespace", "working", "program", "begun", "again")
"""The rules that infer, in the order of the table above."""


class Participant:
    """One life of a process: what it is called, what it last received, which requests it is serving.

    `beats` is set once it has begun its housekeeping: the first look at a lease belongs to its start. `discovered` are
    the documents of discovery that it has asked for: that belongs to its start too, and is housekeeping when it is done
    again.
    """

    __slots__ = ("beats", "command", "created", "discovered", "id", "last", "last_at", "serial", "serving", "started")

    def __init__(self, name: str, serial: int) -> None:
        self.id = name
        self.serial = serial
        self.started: int | None = None
        self.command = False
        self.beats = False
        self.discovered: set[str] = set()
        self.last: int | None = None
        self.last_at = -1.0
        self.created: tuple[int, float, str, Tokens] = (0, -1.0, "", ())
        self.serving: dict[int, Serving] = {}


class Serving:
    """A request not yet answered.

    `own` is the object it is about (for an etcd call the key's), `tokens` all that it concerns. Where the server will
    choose the name, `prefix` is what it will begin with, until that is seen. `watches` go on for long.
    """

    __slots__ = ("heartbeat", "own", "prefix", "tokens", "watches")

    def __init__(self, own: str, tokens: Tokens, prefix: str = "", *, watches: bool, heartbeat: bool) -> None:
        self.own = own
        self.tokens = tokens
        self.prefix = prefix
        self.watches = watches
        self.heartbeat = heartbeat


class Causes:
    """Everything the lens remembers about who received what, bounded on all sides."""

    def __init__(self) -> None:
        self._participants: Recent[str, Participant] = Recent(PARTICIPANTS_MAX)
        self._serial = 0
        self._heard: Recent[tuple[int, str], tuple[int, float]] = Recent(HEARD_MAX)
        self._heard_turned = 0.0
        self._revisions: Recent[tuple[int, int], tuple[int, bool]] = Recent(REVISIONS_MAX)
        self._events: Recent[tuple[int, str, str], tuple[int, bool]] = Recent(EVENTS_MAX)
        self._agreed: Recent[tuple[int, int, str], tuple[int, bool]] = Recent(EVENTS_MAX)
        self._watches_ended: Recent[tuple[int, str], int] = Recent(PARTICIPANTS_MAX)
        self._carried: Recent[tuple[int, bytes], int] = Recent(CARRIED_MAX)
        self.audited: Recent[str, int] | None = None
        """By audit id, the audit log's latest note about a request; None where there is no audit log."""

    def audits(self, audit_id: str, seq: int) -> None:
        """An audit log has a line about a request: the note `seq`."""
        if self.audited is None:
            self.audited = Recent(AUDITED_MAX)
        self.audited[audit_id] = seq

    def carries(self, listener: Participant, message: bytes, seq: int) -> None:
        """Somebody has heard a message, entry `seq`, that they may carry on as it is."""
        if message:
            self._carried[listener.serial, sha256(message).digest()] = seq

    def carried(self, speaker: Participant, message: bytes) -> int | None:
        """Find the entry by which a speaker has heard the very message that they say."""
        return self._carried.get((speaker.serial, sha256(message).digest())) if message else None

    def participant(self, name: str) -> Participant:
        """Find a participant; one not seen before begins to exist."""
        return self._participants.get(name) or self._begin(name)

    def caller(self, name: str) -> Participant:
        """Find who opens a connection. Each from outside is a program of its own, run by a person we do not see."""
        if not name.startswith(OUTSIDE):
            return self.participant(name)
        self._serial += 1
        stranger = Participant(name, self._serial)
        stranger.command = True
        return stranger

    def started(self, name: str, seq: int, *, command: bool) -> Participant:
        """A process begins a life at entry `seq`; what its predecessor of the same name received is not its business.

        A command is noted before its program starts, so a program keeps the command as its beginning.
        """
        known = self._participants.get(name)
        if known is not None and known.command and known.last is None and not command:
            return known
        participant = self._begin(name)
        participant.started = seq
        participant.command = command
        return participant

    def created(self, who: Participant, seq: int, at: float, resource: str, tokens: Tokens) -> None:
        """`who` was answered, by entry `seq`, that an object of a resource was created. `heard` has been called."""
        who.created = (seq, at, resource, tokens)

    def heard(self, who: Participant, seq: int, at: float, tokens: Tokens | list[str]) -> None:
        """`who` received entry `seq`, which concerns `tokens`. Not to be called for housekeeping."""
        who.last = seq
        who.last_at = at
        heard = self._heard
        if at - self._heard_turned > REACTION_SECONDS_MAX:
            self._heard_turned = at
            heard.turn()
        serial = who.serial
        fact = (seq, at)
        for token in tokens:
            heard[serial, token] = fact

    def serve(self, who: Participant, seq: int, serving: Serving) -> None:
        """`who` has begun to work on request `seq`."""
        requests = who.serving
        requests[seq] = serving
        if len(requests) > SERVING_MAX:
            del requests[next(iter(requests))]

    def why(
        self,
        who: Participant,
        at: float,
        tokens: Tokens | list[str],
        opened: Reason | None = None,
        *,
        within: str = "",
        resource: str = "",
    ) -> Reason:
        """Tell why `who` says something about `tokens` now.

        `opened` is the reason of a fresh connection's SYN; `within` names the namespace that the objects are in, and
        `resource` what is to be created, if anything.
        """
        served = self.serving(who, tokens)
        if served is not None:
            return Reason(served[0], how="serving")
        seq, heard_at, like, concerned = who.created
        if resource and like == resource and at - heard_at <= SAME_INSTANT_SECONDS and set(concerned) & set(tokens):
            return Reason(seq, how="created")
        seq, heard_at = self._latest(who, tokens)
        if seq and at - heard_at <= SAME_INSTANT_SECONDS:
            return Reason(seq, how="object")
        now = who.last if who.last is not None and at - who.last_at <= SAME_INSTANT_SECONDS else None
        if seq and at - heard_at <= REACTION_SECONDS_MAX:
            return Reason(seq, how="object", after=now)
        if now is not None:
            return Reason(now, how="instant")
        if opened is not None:
            return opened._replace(how="opened") if opened.cause else opened
        seq, heard_at = self._latest(who, (within,))
        if seq and at - heard_at <= REACTION_SECONDS_MAX:
            return Reason(seq, how="namespace")
        return self.origin(who, at)

    def _latest(self, who: Participant, tokens: Tokens | list[str]) -> tuple[int, float]:
        """Find the latest entry that `who` received about one of `tokens`, and when; (0, 0.0) when there is none."""
        latest = (0, 0.0)
        for token in tokens:
            fact = self._heard.get((who.serial, token))
            if fact is not None and fact[0] > latest[0]:
                latest = fact
        return latest

    def origin(self, who: Participant, at: float, within_seconds: float = SAME_INSTANT_SECONDS) -> Reason:
        """Tell why `who` says something that concerns no object known to it.

        It may have been at work since the message that made it, for `within_seconds`.
        """
        if who.last is not None and at - who.last_at <= within_seconds:
            return Reason(who.last, how="instant")
        working = [seq for seq, serving in who.serving.items() if not serving.watches and not serving.heartbeat]
        if len(working) == 1:
            return Reason(working[0], how="working")
        if who.command and who.last is not None:
            return Reason(who.last, how="program")
        if who.started is not None and (who.command or who.last is None):
            return Reason(who.started, how="begun")
        return Reason(None, "command" if who.command else "timer")

    def serving(
        self, who: Participant, tokens: Tokens | list[str], *, watching: bool | None = None
    ) -> tuple[int, bool] | None:
        """Find the unanswered request about one of `tokens`: its seq and whether it is housekeeping.

        The latest about that very object goes before the first whose server has yet to choose a name, and both before
        the latest that only concerns it. "events/" is some object of that resource. With `watching` only a request
        that is a watch, or that is none, will do.
        """
        requests = who.serving
        if watching is not None:
            requests = {seq: one for seq, one in requests.items() if one.watches == watching}
        if not requests or not tokens:
            return None
        for seq in reversed(requests):
            if requests[seq].own in tokens:
                return seq, requests[seq].heartbeat
        for seq, serving in requests.items():
            if serving.prefix:
                for token in tokens:
                    if token.startswith(serving.prefix):
                        serving.own, serving.prefix = token, ""
                        return seq, serving.heartbeat
        for seq in reversed(requests):
            for token in tokens:
                if token in requests[seq].tokens:
                    return seq, requests[seq].heartbeat
        if tokens[0].endswith("/"):
            for seq in reversed(requests):
                if (requests[seq].own or requests[seq].prefix).startswith(tokens[0]):
                    return seq, requests[seq].heartbeat
        return None

    def stored(self, etcd: Participant, revision: int, seq: int, heartbeat: bool) -> None:
        """The transaction that entry `seq` asked for made `revision`."""
        self._revisions[etcd.serial, revision] = (seq, heartbeat)

    def transaction(self, etcd: Participant, revision: int, tokens: Tokens) -> tuple[int, bool] | None:
        """Find the request that made `revision`, answered already or not."""
        return self._revisions.get((etcd.serial, revision)) or self.serving(etcd, tokens)

    def told(self, server: Participant, token: str, version: str, seq: int, heartbeat: bool) -> None:
        """`server` learned from etcd, by entry `seq`, of an object's new version."""
        self._events[server.serial, token, version] = (seq, heartbeat)

    def change(self, server: Participant, token: str, version: str) -> tuple[int, bool] | None:
        """Find the etcd event by which `server` learned of a version."""
        return self._events.get((server.serial, token, version))

    def agreed(self, speaker: Participant | None, listener: Participant, what: str, seq: int, heartbeat: bool) -> None:
        """A member of etcd has told another something of Raft's, entry `seq`; without `speaker`: anybody has."""
        self._agreed[speaker.serial if speaker else 0, listener.serial, what] = (seq, heartbeat)

    def agreement(self, speaker: Participant | None, listener: Participant, what: str) -> tuple[int, bool] | None:
        """Find the entry by which a member was told something of Raft's."""
        return self._agreed.get((speaker.serial if speaker else 0, listener.serial, what))

    def watch_ended(self, who: Participant, key: str, seq: int) -> None:
        """A watch of `who` came to its ordinary end at entry `seq`."""
        self._watches_ended[who.serial, key] = seq

    def watch_ended_at(self, who: Participant, key: str) -> int | None:
        """Find the ordinary end of the watch that a new one goes on from."""
        return self._watches_ended.get((who.serial, key))

    def _begin(self, name: str) -> Participant:
        self._serial += 1
        participant = self._participants[name] = Participant(name, self._serial)
        return participant
