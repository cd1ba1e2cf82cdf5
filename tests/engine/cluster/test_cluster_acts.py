"""What each act does to a cluster, and what is told of it: a run on a real cluster, in virtual time."""

import asyncio
from typing import Any

import pytest

from cluster_engine import run as runs
from cluster_engine.cluster import Cluster
from cluster_engine.commands import COMMANDS_MAX
from cluster_engine.deeds import (
    Advance,
    Answer,
    Applied,
    Background,
    Command,
    Complete,
    Deed,
    Done,
    Edited,
    Editing,
    Heal,
    HealIncident,
    Hint,
    Incident,
    Inject,
    Input,
    Interrupt,
    Keys,
    Output,
    Reads,
    RefusedDeedError,
    Resize,
    Typed,
)
from cluster_engine.injections import WAITING_MAX
from cluster_engine.run import Run

POWER_OFF = {"name": "power-off", "target": "worker-1"}
RESTART = {"name": "restart", "target": "worker-1/kubelet"}
NEVER = {"entry": {"label": "never"}}


class House:
    """A cluster, its run, and what that told."""

    def __init__(self, cluster: Cluster, told: list[Any], run: Run) -> None:
        self.cluster, self.told, self.run = cluster, told, run

    async def put(self, deed: Deed) -> Any:
        return await asyncio.wrap_future(self.run.put(deed))

    async def refused(self, deed: Deed, words: str) -> None:
        with pytest.raises((ValueError, LookupError), match=words):
            await self.put(deed)

    async def done(self, identifier: str) -> Done:
        await self.cluster.world.until(lambda: any(one.id == identifier for one in self.of(Done)), within_seconds=60)
        return next(one for one in self.of(Done) if one.id == identifier)

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]

    def active(self) -> list[str]:
        return [one.id for one in self.cluster.faults]


@pytest.fixture
def in_house(in_copy: Any) -> Any:
    """Tell a story in a copy of a cluster, with a run of its own; give what it returns."""

    def told(story: Any, **run: Any) -> Any:
        async def tell(cluster: Cluster) -> Any:
            told: list[Any] = []
            house = House(cluster, told, Run(told.append, **run))
            house.run.enter(cluster)
            await house.run.begin()
            returned = await story(house)
            house.run.close()
            return returned

        return in_copy(tell, nodes=1)

    return told


def test_a_command_is_told_from_its_line_to_its_code_under_numbers_that_count(in_house):
    async def story(house: House) -> None:
        assert await house.put(Command("k1", "echo a; echo b; false")) == {}
        assert (await house.done("k1")).code == 1
        typed, *output = [one for one in house.told if not isinstance(one, Input | Done)]
        assert typed == Typed("k1", "echo a; echo b; false", prompt="workstation:~$", after=typed.after)
        assert 0 < typed.after < output[-1].after <= house.of(Done)[0].after, (
            "what was said stands in the journal's order"
        )
        assert "".join(one.text for one in output) == "a\nb\n"
        assert [one.n for one in [*output, *house.of(Done)]] == list(range(1, len(output) + 2))
        taken = house.of(Input)[0]
        assert (
            house.of(Input)
            == house.run.inputs
            == [Input(1, taken.at, Command("k1", "echo a; echo b; false"), taken.after)]
        )
        assert 0 < taken.after <= typed.after
        await house.put(Command("k1", "echo again"))  # an id is free once its command has ended

    in_house(story)


def test_a_terminal_comes_again_in_a_replay_with_its_host_directory_variables_and_jobs(in_house):
    lines = (
        "A=b; cd /etc; (sleep 3; echo late) &",
        "ssh worker-1",
        "cd /etc; export C=d",
        "sleep 4; jobs; echo $C; pwd",
        "exit",
        "echo $A; pwd; for i in 1 2; do sleep 1; hostname; done",
    )

    async def live(house: House) -> Any:
        for number, line in enumerate(lines):
            await house.put(Command(f"k{number}", line))
            await (house.done(f"k{number}") if number else asyncio.sleep(1))
        told = [one for one in house.told if not isinstance(one, Input)]
        return house.run.inputs, house.cluster.clock.now, told

    async def again(house: House) -> None:
        assert [one for one in house.told if not isinstance(one, Input)] == seen[2]
        assert house.cluster.terminal().prompt == "workstation:/etc$"

    seen = in_house(live)
    ends = [one for one in seen[2] if isinstance(one, Background) or (isinstance(one, Done) and one.id != "k0")]
    prompts = [one.prompt for one in ends]
    assert prompts == ["workstation:/etc$", *["worker-1:~$"], *["worker-1:/etc$"] * 2, *["workstation:/etc$"] * 2]
    printed = [one for one in seen[2] if isinstance(one, Output) and one.stream == "stdout"]
    assert "".join(one.text for one in printed if one.id == "k0") == "late\n"
    assert (
        "".join(one.text for one in printed if one.id != "k0")
        == "[1]+  Done                    (sleep 3; echo late)\nd\n/etc\nb\n/etc\nworkstation\nworkstation\n"
    )
    in_house(again, past=seen[0], until=seen[1])


def test_a_line_that_began_jobs_goes_on_until_they_have_ended_or_are_ended(in_house):
    async def story(house: House) -> None:
        await house.put(Command("k1", "kubectl get nodes -w & (sleep 2; echo two) & echo one", keyboard=True))
        await house.put(Command("k2", "sleep 3; echo three"))
        assert (await house.done("k2")).code == 0
        told = [one for one in house.told if not isinstance(one, Input | Typed | Done) and one.id == "k1"]
        kinds = [type(one) for one in told]
        back = kinds.index(Background)
        assert "".join(one.text for one in told[:back] if one.stream == "stdout") == "one\n"
        assert "two\n" in "".join(one.text for one in told[back + 1 :])
        assert [one.n for one in told] == list(range(1, len(told) + 1))
        await house.refused(Keys("k1", "x"), "reads nothing that is typed")
        await house.put(Interrupt("k1"))
        assert (await house.done("k1")).code == 143
        await house.put(Command("k3", "jobs"))
        assert (await house.done("k3")).code == 0
        assert "Terminated              kubectl get nodes -w" in house.of(Output)[-1].text

    in_house(story)


def test_commands_are_bounded_their_ids_unique_and_ctrl_c_ends_them(in_house):
    async def story(house: House) -> None:
        for number in range(COMMANDS_MAX):
            await house.put(Command(f"k{number}", "kubectl get pods -w"))
        assert await house.put(Command("k0", "echo")) == {"again": True}
        await house.refused(Command("one more", "echo"), "Too many commands")
        assert await house.put(Interrupt("k0")) == {}
        assert (await house.done("k0")).code == 130
        assert await house.put(Interrupt("k0")) == {}  # nobody knows what was quicker
        await house.put(Command("one more", "echo"))
        assert (await house.done("one more")).code == 0

    in_house(story)


def test_what_is_typed_to_a_program_that_waits_is_read_echoed_and_comes_again_in_a_replay(in_house):
    async def live(house: House) -> Any:
        await house.put(Command("k1", "cat > a; cat; sort a; stty size", keyboard=True, columns=80, rows=24))
        await house.put(Command("k2", "sleep 1; cat; echo over"))
        await asyncio.sleep(5)
        assert [(one.id, one.reads) for one in house.of(Reads)] == [("k1", True)], "a line without a keyboard ends"
        assert (await house.done("k2")).code == 0
        await house.put(Keys("k1", "b\n"))
        await house.put(Keys("k1", "a\n", end=True))
        await asyncio.sleep(1)
        await house.put(Resize("k1", 100, 30))
        await house.put(Keys("k1", "for the second", end=True))
        assert (await house.done("k1")).code == 0
        return house.run.inputs, house.cluster.clock.now, of(house)

    def of(house: House) -> list[Any]:
        return [
            one if not isinstance(one, Output) else (one.stream, one.text)
            for one in house.told
            if not isinstance(one, Input) and one.id == "k1"
        ]

    async def again(house: House) -> None:
        assert of(house) == seen[2]
        assert await house.put(Keys("k1", "late\n")) == {}, "nobody knows what was quicker"
        await house.put(Command("k3", "sleep 9"))
        await house.refused(Keys("k3", "x"), "reads nothing that is typed")

    seen = in_house(live)
    shown = [one for one in seen[2] if isinstance(one, tuple)]
    assert "".join(text for stream, text in shown if stream == "stdin") == "b\na\nfor the second"
    assert "".join(text for stream, text in shown if stream == "stdout") == "for the seconda\nb\n30 100\n"
    assert [one.reads for one in seen[2] if isinstance(one, Reads)] == [True, False, True, False]
    in_house(again, past=seen[0], until=seen[1])


def test_a_text_is_edited_by_who_typed_the_command_and_comes_again_in_a_replay(in_house):
    async def live(house: House) -> Any:
        await house.put(Command("k1", "echo a > f; edit f; cat f", keyboard=True))
        await asyncio.sleep(2)
        editing = house.of(Editing)[0]
        assert (editing.id, editing.name, editing.text) == ("k1", "f", "a\n")
        await house.put(Edited("k1", "b"))
        assert (await house.done("k1")).code == 0
        assert house.of(Output)[-1].text == "b\n"
        assert await house.put(Edited("k1", "late")) == {}
        return house.run.inputs, house.cluster.clock.now, of(house)

    def of(house: House) -> list[Any]:
        return [one for one in house.told if not isinstance(one, Input)]

    async def again(house: House) -> None:
        assert of(house) == seen[2]

    seen = in_house(live)
    in_house(again, past=seen[0], until=seen[1])


def test_what_tab_finds_is_an_answer_and_asking_is_part_of_the_run(in_house):
    async def story(house: House) -> None:
        assert await house.put(Complete("t1", "kubectl get nodes work")) == {"begin": 18, "words": ["worker-1"]}
        assert house.run.inputs[-1].act == Complete("t1", "kubectl get nodes work")
        first = house.run.put(Complete("t2", "kubectl get nodes work"))
        assert await house.put(Complete("t3", "kubec")) == {"begin": 5, "words": []}, "one at a time"
        assert (await asyncio.wrap_future(first))["words"] == ["worker-1"]

    in_house(story)


def test_ctrl_c_ends_a_program_that_waits_for_keys(in_house):
    async def story(house: House) -> None:
        await house.put(Command("k", "cat; echo on", keyboard=True))
        await asyncio.sleep(1)
        await house.put(Interrupt("k"))
        assert (await house.done("k")).code == 130

    in_house(story)


def test_a_fault_happens_at_its_moment_and_says_so(in_house):
    async def story(house: House) -> None:
        when = {"entry": {"kind": "command.started", "label": "echo now"}}
        assert await house.put(Inject(POWER_OFF, when)) == {"fault": None}
        assert await house.put(Inject(POWER_OFF | {"target": "control-plane"}, NEVER)) == {"fault": None}
        assert house.active() == []
        await house.put(Command("k", "echo now"))
        await house.done("k")
        (fault,) = house.active()
        assert [(one.incident, one.fault, one.problem) for one in house.of(Applied)] == [(None, fault, None)]
        await house.refused(Heal("fault-99"), "over already")
        assert await house.put(Heal()) == {}
        assert house.active() == []

    in_house(story)


def test_what_waits_for_its_moment_is_bounded_and_none_is_left_after_all_is_healed(in_house):
    async def story(house: House) -> None:
        for _ in range(WAITING_MAX):
            await house.put(Inject(RESTART, NEVER))
        await house.refused(Inject(RESTART, NEVER), "Too many faults wait")
        await house.put(Heal())
        assert await house.put(Inject(RESTART, NEVER)) == {"fault": None}

    in_house(story)


def test_an_incident_is_healed_by_who_let_it_happen_alone_and_comes_once(in_house):
    async def story(house: House) -> None:
        answer = await house.put(Incident(7, POWER_OFF, sealed=True))
        assert await house.put(Incident(8, RESTART, NEVER)) == {"fault": None}
        await house.refused(Heal(answer["fault"]), "find out first")
        await house.put(Heal())
        assert house.active() == [answer["fault"]]
        await house.put(HealIncident(9))
        for incident in (7, 8, 9):
            await house.refused(Incident(incident, RESTART), "already, or is healed")
        await house.put(HealIncident(7))
        assert house.active() == []
        await house.refused(Incident(7, RESTART), "already, or is healed")

    in_house(story)


def test_what_is_refused_is_no_input_and_inputs_are_bounded(monkeypatch, in_house):
    async def story(house: House) -> None:
        await house.refused(Inject({"name": "earthquake"}), "there is no fault earthquake")
        await house.refused(Inject(POWER_OFF, {"entry": {"colour": "red"}}), "colour")
        await house.refused(Hint(), "no lesson")
        assert (house.run.inputs, house.told, noted) == ([], [], [1, 1, 1])
        monkeypatch.setattr(runs, "INPUTS_MAX", 1)
        await house.put(Heal())
        await house.refused(Heal(), "as much as it can keep")

    noted: list[int] = []
    in_house(story, note=lambda n, act: noted.append(n))


class Schooling:
    """A lesson that types a line at its start, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def begin(self, cluster: Cluster, show: Any) -> None:
        write, done = show("echo start", "workstation:~$")
        done(await cluster.command("echo start", write))

    def replayed(self) -> None:
        self.asked.append("replayed")

    async def _go(self, beat: str) -> None:
        self.asked.append(beat)

    def advance(self, beat: str) -> Any:
        if beat == "nowhere":
            raise RefusedDeedError("There is no beat nowhere in this lesson.")
        return self._go(beat)

    def answer(self, question: str, answer: Any) -> None:
        self.asked.append((question, answer))

    def hint(self) -> None:
        self.asked.append("hint")


@pytest.mark.parametrize("past", [[], [Input(1, 100.0, Hint())]])
def test_a_lesson_begins_before_all_inputs_and_is_asked_what_the_learner_asks(past, in_house):
    lesson = Schooling()

    async def story(house: House) -> None:
        assert lesson.asked == ["hint"] * len(past) + ["replayed"]
        assert [type(one) for one in house.told] == [Typed, Output, Done]
        assert house.told[0] == Typed("lesson-1", "echo start", "lesson", "workstation:~$", house.told[0].after)
        await house.refused(Advance("nowhere"), "no beat nowhere")
        for act in (Advance("b"), Answer("q", [1]), Hint()):
            assert await house.put(act) == {}
        assert lesson.asked[len(past) + 1 :] == ["b", ("q", [1]), "hint"]
        assert [one.n for one in house.of(Input)] == [len(past) + n for n in (1, 2, 3)]

    in_house(story, past=past, until=101.0 if past else 0.0, lesson=lesson)
