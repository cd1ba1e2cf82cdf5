"""A capture or an audit log, read into a journal.

    story = read(data, key_log, into=Journal(directory))
    story.problems      ["10.0.0.5:40112 → 10.0.0.1:6443: not opened: TLS 1.3 always agrees on keys …", …]

A capture is read twice, first to learn who its participants are (`naming`), then into `into`. What its keys do not open
is in the journal as encrypted records, and `problems` says why, a line a connection.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping

import msgspec

from cluster_engine.export.keylog import random_in, random_of
from cluster_engine.journal import Journal
from cluster_engine.lens.lens import Lens
from cluster_engine.lens.trial import Trial, Verdict
from cluster_engine.programs.capture.keys import WHY
from cluster_engine.recordings import audit_logs
from cluster_engine.recordings.capture_files import SECRETS_MAX, CaptureError, CaptureFile
from cluster_engine.recordings.conversations import Conversations, Who
from cluster_engine.recordings.internet import packet_of
from cluster_engine.recordings.naming import Names

FILE_BYTES_MAX = 256 * 1024 * 1024
BILLION = 1_000_000_000
CAPTURE, AUDIT = "capture", "audit"
PROBLEMS_MAX = 50
FRAMES_BETWEEN = 2000
"""How many frames are read until it is said again how far one is."""

Progress = Callable[[float], None]


class Story(msgspec.Struct):
    """What came of a file: which kind it is ("capture" or "audit"), the date of its first packet or event, in
    nanoseconds since 1970, and what was not read.
    """

    kind: str = ""
    began_ns: int = 0
    problems: list[str] = msgspec.field(default_factory=list)


def read(
    data: bytes,
    key_log: str,
    into: Journal,
    progress: Progress = lambda _: None,
    story: Story | None = None,
) -> Story:
    """Read a file's bytes into a journal. CaptureError where they are neither a capture nor an audit log.

    `progress` is told now and then which part is done, from 0 to 1; what it raises, or a subscriber, ends the reading,
    and `story`, which is filled meanwhile, says what was known by then.
    """
    story = story or Story()
    if len(data) > FILE_BYTES_MAX:
        raise CaptureError(f"a file of at most {FILE_BYTES_MAX >> 20} MiB can be read; editcap -c makes parts of it")
    if audit_logs.is_audit_log(data):
        story.kind = AUDIT
        log = audit_logs.AuditLog(data.splitlines())
        story.began_ns = log.began_ns
        if log.passed_over:
            story.problems.append(f"{log.passed_over} lines are no audit events, or too many")
        log.tell(Lens(into))
    else:
        story.kind = CAPTURE
        _capture(data, key_log.splitlines()[:SECRETS_MAX], into, progress, story)
    return story


def _capture(data: bytes, key_log: list[str], into: Journal, progress: Progress, story: Story) -> None:
    first = CaptureFile(data)
    frames = 0
    for frame in first.frames():  # names and secrets may stand anywhere
        story.began_ns = story.began_ns if frames else frame.at_ns
        frames += 1
    if first.problem:
        story.problems.append(first.problem)
    names = Names(first.names)
    secrets: defaultdict[str, list[str]] = defaultdict(list)
    for line in [*key_log, *first.secrets]:
        secrets[random_in(line)].append(line)
    learning = Journal()
    learning.subscribe(lambda entry: names.learn(learning, entry))
    Reading(secrets, Lens(learning, Trial()), names.unknown).of(data, lambda done: progress(done / frames / 2))
    trial = Trial()
    reading = Reading(secrets, Lens(into, trial), names.known)
    reading.of(data, lambda done: progress(0.5 + done / frames / 2))
    if reading.strange:
        story.problems.append(f"{reading.strange} of {frames} packets are neither TCP, UDP nor ICMP, or are fragments")
    if reading.cut:
        story.problems.append(f"{reading.cut} packets were not captured whole (tcpdump -s 0 does that)")
    story.problems += _closed(trial, names)


def _closed(trial: Trial, names: Names) -> list[str]:
    """Say which connections stay encrypted, and why."""
    verdicts = {number: recording.verdict(trial) for number, recording in trial.recordings.items()}
    closed = [
        one for one, verdict in verdicts.items() if verdict is not Verdict.OPENED and trial.recordings[one].closed
    ]
    said = [f"connection {one}, {names.ends_of(one)}: not opened: {WHY[verdicts[one]]}" for one in closed]
    more = len(said) - PROBLEMS_MAX
    return said if more <= 0 else [*said[:PROBLEMS_MAX], f"and {more} connections more"]


class Reading:
    """One way through a capture, told to a lens; each session's secrets just before its ClientHello."""

    def __init__(self, secrets: Mapping[str, list[str]], lens: Lens, who: Who) -> None:
        self._secrets, self._lens = secrets, lens
        self._conversations = Conversations(lens, who)
        self.began_ns = 0
        self.cut = self.strange = 0

    def of(self, data: bytes, done: Callable[[int], None]) -> None:
        """Read all packets; tell now and then how many frames are done."""
        latest = 0.0
        for number, frame in enumerate(CaptureFile(data).frames()):
            if number % FRAMES_BETWEEN == 0:
                done(number)
            if not number:
                self.began_ns = frame.at_ns
            packet = packet_of(frame)
            if packet is None:
                self.strange += 1
                continue
            self.cut += packet.is_cut
            for line in self._secrets.get(random_of(packet.payload, from_client=True), ()):
                self._lens.secret(line)
            latest = max(latest, (frame.at_ns - self.began_ns) / BILLION)
            self._conversations.packet(latest, packet)
