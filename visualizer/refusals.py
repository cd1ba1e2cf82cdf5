"""What is refused, in the reader's language.

The engine and the workers speak English and know no catalog; and what they refuse with is stored, in reports, before it
is known who reads it. So it is translated when it is read: a sentence that is always the same by its English text, one
with values in it by the pattern it was made of. What none of them fits stays English.

    said("there is no worker w9; hosts are worker-1")     in German: "Einen Host w9 gibt es nicht; vorhanden: worker-1"

Values stay as they are, but for those in `WITHIN`, which are sentences or words of ours themselves. A test holds the
patterns equal to what the engine's faults and predicates raise.
"""

import re
from collections.abc import Sequence
from functools import cache

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

LENGTH_MAX = 2000  # of what is translated by a pattern

FAULTS = (
    _("a fault is an object with a name and a target"),
    _("there is no fault %(name)s; faults are %(known)s"),
    _("the fault %(name)s has no field %(field)s; its fields are %(known)s"),
    _("the fault %(name)s needs a %(field)s"),
    _("there is no active fault %(id)s; active are %(known)s"),
    _("there is no %(kind)s %(name)s; hosts are %(known)s"),
    _("there is no such component %(name)s; possible are %(known)s"),
    _("there is no binding %(name)s among the cluster's %(kind)s"),
    _("a link joins two hosts, and %(name)s is one"),
    _("there are no bootstrap tokens; `kubeadm token create` on the control plane makes one"),
    _("there is no bootstrap token %(name)s; there are %(known)s"),
    _("two machines have one name, and %(name)s is one"),
    _("%(name)s has no token in a file of its host"),
    _("%(number)s faults are active already; heal some first"),
    _("%(claim)s is the subject of %(id)s already; heal that first"),
    _("the fault ends at %(end)s s, which is not after its start at %(start)s s"),
    _("%(name)s is a text of %(least)s to %(most)s characters"),
    _("%(name)s is one of %(known)s, not %(value)s"),
    _("%(name)s is %(what)s from %(least)s to %(most)s, not %(value)s"),
    _("couldn't parse image name %(name)s: invalid reference format"),
)
CLAIMS = (
    _("the power of %(name)s"),
    _("the certificate of %(name)s"),
    _("the binding %(name)s"),
    _("the latency of the link between %(name)s"),
    _("whether the link between %(name)s passes anything"),
    _("how bad the link between %(name)s is"),
    _("the clock of %(name)s"),
    _("the disk of %(name)s"),
    _("the space of %(name)s"),
    _("the watch cache of %(name)s"),
    _("the TLS of %(name)s"),
    _("the token of %(name)s"),
    _("the name of %(name)s"),
    _("the bandwidth of the link between %(name)s"),
    _("how fast %(name)s computes"),
    _("how fast %(name)s reads its watch of %(resource)s"),
    _("the bootstrap tokens"),
    _("the %(resource)s of %(name)s"),
    _("%(name)s of %(image)s on %(host)s"),
)
PREDICATES = (
    _("this is nested too deeply"),
    _("any entry fits this"),
    _("there are no names to refer to here"),
    _("a predicate is a mapping with exactly one key, not %(value)s"),
    _("this is a list of predicates, not %(value)s"),
    _("this is a mapping from a field to another's, not %(value)s"),
    _("this is a mapping from paths to what must be there, not %(value)s"),
    _("this is a mapping, not %(value)s"),
    _("this is a text, not %(value)s"),
    _("there is no predicate %(name)s"),
    _("there is no question %(name)s"),
    _("there is no name %(name)s"),
    _("there is no key %(name)s"),
    _("right is true or false, not %(value)s"),
    _("heartbeat is true or false, not %(value)s"),
    _("%(value)s is no number of seconds"),
    _("%(value)s is no number"),
    _("%(value)s is no count"),
    _("%(value)s is no participant"),
    _("%(value)s cannot be compared with"),
    _("%(value)s is not a path"),
    _("a path names at least one key"),
    _("%(name)s is missing"),
    _("there is no %(key)s %(name)s"),
)
REMEDIES = (
    _("leave it out for any answer"),
    _("say it without another predicate's name"),
    _("say true or false"),
    _("give a text, a number, a list, {least, most} or {not: …}"),
    _("give a number"),
    _("give a whole number from %(least)s to %(most)s"),
    _("give 1 to %(most)s characters, in quotes"),
    _("give 1 to %(most)s in a list"),
    _("give 0 to %(most)s"),
    _("nest at most %(most)s levels"),
    _("keys are %(known)s"),
    _("write {path: name.path}"),
    _("predicates are %(known)s"),
    _("questions are %(known)s"),
    _("names are %(known)s"),
    _("possible are %(known)s"),
    _("participants are host/program; write %(example)s for any host"),
    _("say what it is like: %(known)s"),
    _("write {path: value}"),
    _('write a.b, a[key=value].b or a["dotted.key"].b'),
    _("add %(name)s"),
)
WORDS = (_("a number"), _("a whole number"), _("host"), _("worker"))
PLACED = (_("%(place)s: %(problem)s; %(remedy)s"), _("%(problem)s; %(remedy)s"))

STATES = (
    _("There is no kind %(name)s here."),
    _("A state is written as pod/default/web-*=Ready."),
)
RECORDINGS = (
    _("this is no capture: neither pcap nor pcapng"),
    _("a file of at most %(most)s MiB can be read; editcap -c makes parts of it"),
    _("the file is cut short in its header"),
    _("the file is cut short in the middle of a packet"),
    _("the file is cut short in the middle of a block"),
    _("only the first %(number)s packets were read"),
    _("only the first %(number)s messages are kept"),
    _("bodies and bytes are kept from message %(number)s on"),
    _("%(number)s of %(all)s packets are neither TCP, UDP nor ICMP, or are fragments"),
    _("%(number)s packets were not captured whole (tcpdump -s 0 does that)"),
    _("%(number)s lines are no audit events, or too many"),
    _("connection %(number)s, %(ends)s: not opened: %(why)s"),
    _("and %(number)s connections more"),
    _("the rest took too long"),
    _("the rest needs more memory than there is for a file"),
    _("the rest needs more time or memory than there is for a file"),
    _("the rest broke inside Glassplane; that is our mistake"),
)
NOT_OPENED = (
    _(
        "the capture begins in the middle of the connection: without ClientHello nobody knows which session's secrets "
        "these are"
    ),
    _("the capture ends, or the handshake does, before keys were in use"),
    _("its cipher suite is not read here"),
    _(
        "TLS 1.3 always agrees on keys by (EC)DHE. The private halves were never sent and are forgotten, and the "
        "certificate's key has only signed, so no private key opens it; the session's key log does"
    ),
    _(
        "keys were agreed on by (EC)DHE. The private halves were never sent and are forgotten, and the certificate's "
        "key has only signed, so no private key opens it; the session's key log does"
    ),
    _(
        "it resumes an earlier session, whose master secret was not found: no key exchange is in it that a key could "
        "open"
    ),
    _(
        "the client has sent the premaster secret encrypted to the key of the server's certificate: that RSA key opens "
        "it, and was not given"
    ),
    _(
        "the client has sent the premaster secret encrypted to the key of the server's certificate, and the key given "
        "is another one"
    ),
    _("there are secrets for it, and its records do not open with them: bytes are missing or changed"),
)
LESSONS = (
    _("There is no beat %(name)s in this lesson."),
    _("There is no question %(name)s in this lesson."),
    _("There are no more hints."),
    _("The lesson is still being prepared."),
    _("The lesson is on its way already; please wait until it is there."),
    _("This question has been answered already."),
    _("The answer to %(name)s is a number."),
    _("The answer to %(name)s is at most %(most)s."),
    _("The answer to %(name)s is made of %(known)s."),
    _("The answer to %(name)s has each of %(known)s once."),
    _("The answer to %(name)s is one of %(known)s."),
)

WITHIN = {"claim": CLAIMS, "problem": PREDICATES, "remedy": REMEDIES, "what": WORDS, "kind": WORDS, "why": NOT_OPENED}


def said(text: str) -> str:
    """What people read for a refusal, in the active language."""
    return _said(text, (*FAULTS, *LESSONS, *STATES, *RECORDINGS, *PLACED)) if len(text) <= LENGTH_MAX else text


def _said(text: str, patterns: Sequence[str]) -> str:
    known = gettext(text) if text else text
    if known != text or (get_language() or "en").startswith("en"):
        return known
    for pattern in patterns:
        if (found := _expression(pattern).fullmatch(text)) is not None:
            values = found.groupdict()
            ours = {name: _said(values[name], WITHIN[name]) for name in values.keys() & WITHIN.keys()}
            return gettext(pattern) % (values | ours)
    return text


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """Read a pattern as a regular expression; a place has no spaces in it."""
    parts = re.split(r"%\((\w+)\)s", pattern)
    parts[::2] = [re.escape(part) for part in parts[::2]]
    parts[1::2] = [rf"(?P<{name}>\S+?)" if name == "place" else f"(?P<{name}>.*?)" for name in parts[1::2]]
    return re.compile("".join(parts), re.DOTALL)
