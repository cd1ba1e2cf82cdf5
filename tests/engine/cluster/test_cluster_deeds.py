"""Deeds have one spelling, and their bounds go with it wherever they are read."""

import msgspec
import pytest

from cluster_engine import deeds

_page = msgspec.json.Decoder(deeds.Deed)
_bus = msgspec.msgpack.Decoder(deeds.Deed)


@pytest.mark.parametrize(
    ("text", "deed"),
    [
        ('{"type":"command","id":"k","line":"ls"}', deeds.Command("k", "ls")),
        ('{"type":"command","id":"k","line":"cat","keyboard":true}', deeds.Command("k", "cat", keyboard=True)),
        ('{"type":"keys","id":"k","text":"ls\\n"}', deeds.Keys("k", "ls\n")),
        ('{"type":"keys","id":"k","end":true}', deeds.Keys("k", end=True)),
        ('{"type":"resize","id":"k","columns":80,"rows":24}', deeds.Resize("k", 80, 24)),
        ('{"type":"complete","id":"k","line":"kube"}', deeds.Complete("k", "kube")),
        ('{"type":"inject","fault":{"name":"kill"},"id":"i"}', deeds.Inject({"name": "kill"}, id="i")),
        ('{"type":"heal"}', deeds.Heal()),
        ('{"type":"pause"}', deeds.Pause()),
        ('{"type":"pace","pace":2.0}', deeds.Pace(2.0)),
        ('{"type":"answer","question":"q","answer":[1,null]}', deeds.Answer("q", [1, None])),
    ],
)
def test_a_pages_message_is_the_deed_itself(text, deed):
    assert _page.decode(text) == deed
    assert msgspec.json.encode(deed).decode() == text
    assert _bus.decode(msgspec.msgpack.encode(deed)) == deed


@pytest.mark.parametrize(
    "deed",
    [
        deeds.Command("", "ls"),
        deeds.Command("k" * 65, "ls"),
        deeds.Interrupt("k" * 65),
        deeds.Resize("k", 1001, 24),
        deeds.Command("k", "ls", columns=-1),
        deeds.Inject({}, id="i" * 65),
        deeds.Heal("f" * 65),
        deeds.Advance("b" * 65),
        deeds.Answer("q" * 65, 1),
        deeds.Pace(0.0),
        deeds.Pace(float("nan")),
        deeds.Pace(1e9),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_whoever_reads_it(deed):
    with pytest.raises(ValueError, match="Expected"):
        _bus.decode(msgspec.msgpack.encode(deed))
    if isinstance(deed, deeds.Act):
        with pytest.raises(ValueError, match="Expected"):
            deeds.read(deeds.write(deed))


def test_what_turns_the_clock_is_never_kept():
    for document in ({"type": "pause"}, {"type": "step"}, {"type": "pace", "pace": 2.0}, {"type": "Create"}, None):
        with pytest.raises(ValueError, match=r"Invalid value|Expected"):
            deeds.read(document)


def test_a_deed_is_named_by_what_who_did_it_knows_and_an_incident_gives_nothing_away():
    assert deeds.title(deeds.Command("k", "ls -l")) == "ls -l"
    assert deeds.title(deeds.Inject({"name": "power-off"})) == "fault power-off"
    assert deeds.title(deeds.Incident(3, {"name": "power-off"}, sealed=True)) == "incident"
    assert deeds.title(deeds.Heal("fault-1")) == "heal"


def test_an_undo_takes_back_the_last_thing_but_neither_a_ctrl_c_nor_an_instructors_incident():
    def last(*acts: deeds.Act) -> deeds.Input | None:
        return deeds.last_undoable([deeds.Input(n, n / 8, act) for n, act in enumerate(acts, 1)])

    typed, fault = deeds.Command("k", "sleep 9"), deeds.Inject({})
    assert last() is None
    assert last(typed, deeds.Interrupt("k")) == deeds.Input(1, 0.125, typed)
    assert last(typed, fault) == deeds.Input(2, 0.25, fault)
    assert last(typed, deeds.Incident(1, {})) is None
    assert last(typed, deeds.HealIncident(1), deeds.Interrupt("k")) is None
