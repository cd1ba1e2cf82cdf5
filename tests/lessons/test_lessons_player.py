"""A player brings a cluster to a lesson's beats, at the very instants, and says what a learner has reached."""

import asyncio

import pytest
from recent import EPOCH

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.thread import ClusterThread
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.work import REAL_EFFORT
from visualizer.lessons import library
from visualizer.lessons.player import Player

WALK, EXERCISE = "walkthroughs/tiny/lesson.yaml", "exercises/tiny/lesson.yaml"


@pytest.fixture
def play(content, copies):
    """Begin a lesson on a copy of a cluster in leaping time and tell a story: `play(path, story)`."""

    def play(path, story, begin=True):
        lesson = library.read(path, content.folder)

        async def tell(cluster):
            told = []
            player = Player(cluster, lesson, told.append)
            player.pace, player.told = None, told
            if begin:
                await player.begin()
            return await story(cluster, player)

        spec = ClusterSpec(nodes=lesson.nodes, seed=lesson.seed, pace=None, effort=REAL_EFFORT, epoch=EPOCH)
        return copies.tell(tell, spec)

    return play


async def rest(cluster):
    """Let everything that is ready happen, and the player tell it; time may stand."""
    rested = cluster.loop.create_future()

    def hook():
        cluster.clock.before_waiting.remove(hook)
        rested.set_result(None)
        return True

    cluster.clock.before_waiting.append(hook)
    await rested


def wait(seconds):
    return asyncio.sleep(seconds)


# -- walkthroughs ------------------------------------------------------------------------------------------------------


def test_after_its_start_a_walkthrough_stands(play):
    async def story(cluster, player):
        await rest(cluster)
        state = player.told[-1]
        assert (state["ready"], state["busy"], state["beat"], state["anchors"]) == (True, False, None, {})
        assert cluster.clock.paused
        assert cluster.stored("deployments")

    play("walkthroughs/tiny", story)


def test_time_stands_at_the_instant_of_the_anchor_with_everything_in_flight(play):
    async def story(cluster, player):
        await player.advance("asked")
        held = player.state()["anchors"]["asked"]
        assert held["at"] == cluster.clock.now
        assert cluster.clock.paused
        entry = cluster.journal.since(held["seq"] - 1, 1)[0]
        assert (entry["kind"], entry["fields"]["verb"]) == ("http.request", "list")
        assert not [one for one in cluster.journal.since(held["seq"], 99) if one["replyTo"] == held["seq"]]
        await player.advance("answered")
        assert player.state()["anchors"]["answered"]["at"] > held["at"]

    play("walkthroughs/tiny", story)


def test_a_beat_whose_anchor_holds_costs_no_time(play):
    async def story(cluster, player):
        await player.advance("answered")
        cluster.clock.pause()
        await rest(cluster)
        now, head = cluster.clock.now, cluster.journal.head
        await player.advance("asked")
        assert player.state()["beat"] == "asked"
        await player.advance("answered")
        assert (cluster.clock.now, cluster.journal.head) == (now, head)

    play("walkthroughs/tiny", story)


def test_who_goes_back_has_still_been_as_far_as_they_were(play):
    async def story(cluster, player):
        assert player.state()["furthest"] is None
        await player.advance("answered")
        await player.advance("asked")
        state = player.state()
        assert (state["beat"], state["furthest"]) == ("asked", "answered")
        await player.advance("deleted")
        assert player.state()["furthest"] == "deleted"

    play("walkthroughs/tiny", story)


def test_advancing_over_several_beats_plays_those_between(play):
    async def story(cluster, player):
        await player.advance("deleted")
        await rest(cluster)
        state = player.told[-1]
        assert list(state["anchors"]) == ["asked", "answered", "deleted", "syn"]
        assert (state["beat"], state["solved"], state["handedOver"]) == ("deleted", True, False)

    play("walkthroughs/tiny", story)


def test_a_hand_over_ends_at_the_next_anchor_whoever_brings_it_about(play):
    async def story(cluster, player):
        woken = cluster.loop.create_future()

        def standing():
            if cluster.clock.paused and not woken.done() and "deleted" in player.lookout.held:
                woken.set_result(None)
                return True
            return False

        await player.advance("answered")
        assert player.state()["handedOver"]
        assert not cluster.clock.paused
        cluster.clock.before_waiting.append(standing)
        command = asyncio.ensure_future(cluster.command("kubectl delete deployment web", lambda *_: None))
        await woken
        assert not command.done()
        state = player.state()
        assert (state["handedOver"], state["beat"]) == (False, "answered")
        assert state["anchors"]["deleted"]["at"] == cluster.clock.now
        await player.advance("deleted")
        cluster.clock.resume()
        assert await command == 0

    play("walkthroughs/tiny", story)


def test_what_a_hand_over_suggests_is_typed_for_whoever_goes_on_without(play):
    async def story(cluster, player):
        await player.advance("answered")
        await player.advance("deleted")
        lines = [one["label"] for one in cluster.journal.since(0, 9999) if one["kind"] == "command.started"]
        assert lines[-1] == "kubectl delete deployment web"
        assert player.state()["lost"] is None

    play("walkthroughs/tiny", story)


def test_a_beats_steps_are_left_out_when_its_anchor_holds_already(play):
    async def story(cluster, player):
        cluster.clock.resume()
        await cluster.command("kubectl get pods", lambda *_: None)
        head = cluster.journal.head
        await player.advance("asked")
        assert cluster.journal.head == head

    play("walkthroughs/tiny", story)


def test_who_is_on_the_way_takes_no_second_order(play):
    async def story(cluster, player):
        first = player.advance("asked")
        with pytest.raises(ValueError, match="on its way already"):
            player.advance("answered")
        await first
        await player.advance("answered")

    play("walkthroughs/tiny", story)


def test_orders_that_make_no_sense_are_refused_in_words(play):
    async def story(cluster, player):
        with pytest.raises(ValueError, match="still being prepared"):
            player.advance("asked")
        await player.begin()
        with pytest.raises(ValueError, match="There is no beat end"):
            player.advance("end")
        with pytest.raises(ValueError, match="There is no question why"):
            player.answer("why", 1)
        with pytest.raises(ValueError, match="no more hints"):
            player.hint()

    play("walkthroughs/tiny", story, begin=False)


def test_an_anchor_that_does_not_come_is_lost_and_may_be_waited_for_again(play, content):
    content.change(
        WALK,
        ("    open: headers\n", "    within: 7\n    do: [{run: kubectl get nodes}]\n"),
        ("fields: {verb: delete}", "fields: {verb: never}"),
    )

    async def story(cluster, player):
        await player.advance("answered")
        before = cluster.clock.now
        await player.advance("deleted")
        state = player.state()
        assert (state["lost"], state["beat"], state["busy"]) == ("deleted", "answered", False)
        assert cluster.clock.now == pytest.approx(before + 7)
        assert cluster.clock.paused
        await player.advance("deleted")
        assert cluster.clock.now == pytest.approx(before + 14)
        lines = [one["label"] for one in cluster.journal.since(0, 9999) if one["kind"] == "command.started"]
        assert lines.count("kubectl get nodes") == 1, "its steps are begun once"

    play("walkthroughs/tiny", story)


def test_a_command_that_fails_on_the_way_is_lost_at_once(play, content):
    content.change(WALK, ("run: kubectl get pods", "run: kubectl get nonsense"))

    async def story(cluster, player):
        await player.advance("asked")
        assert player.state()["lost"] == "asked"
        (failed,) = player.problems
        assert failed.at == content.line(WALK, "get nonsense")
        assert "ended with 1, not 0: error: the server doesn't have a resource type" in failed.problem

    play("walkthroughs/tiny", story)


def test_a_start_that_fails_is_lost(play, content):
    content.change(WALK, ("run: kubectl create deployment web --image=nginx", "run: kubectl create nonsense"))

    async def story(cluster, player):
        assert (player.state()["lost"], player.state()["ready"]) == ("start", False)
        assert cluster.clock.paused

    play("walkthroughs/tiny", story)


def test_a_pause_on_the_way_only_delays_it(play):
    async def story(cluster, player):
        advancing = player.advance("asked")
        await rest(cluster)
        cluster.clock.pause()
        assert player.state()["busy"]
        cluster.clock.resume()
        await advancing
        assert player.state()["beat"] == "asked"
        assert cluster.clock.paused
        assert cluster.clock.now == player.state()["anchors"]["asked"]["at"]

    play("walkthroughs/tiny", story)


def test_the_state_is_told_after_the_entries_it_speaks_of_and_once_an_instant(play):
    async def story(cluster, player):
        await rest(cluster)
        del player.told[:]
        await player.advance("asked")
        await rest(cluster)
        assert [(state["busy"], list(state["anchors"])) for state in player.told[-2:]] == [
            (True, ["syn"] if len(player.told) > 2 else []),
            (False, ["asked", "syn"]),
        ]
        assert len(player.told) <= 3

    play("walkthroughs/tiny", story)


# -- questions ---------------------------------------------------------------------------------------------------------


def test_a_walkthroughs_question_is_answered_once_and_its_truth_told_only_then(play):
    async def story(cluster, player):
        assert player.state()["answers"] == {}
        player.answer("which", "watch")
        assert player.state()["answers"] == {"which": {"given": "watch", "right": None}}
        await player.advance("asked")
        seq = player.state()["anchors"]["asked"]["seq"]
        assert player.state()["answers"] == {"which": {"given": "watch", "right": False, "truth": "list", "seq": seq}}
        with pytest.raises(ValueError, match="answered already"):
            player.answer("which", "list")

    play("walkthroughs/tiny", story)


def test_an_order_is_judged_by_the_journal_once_all_have_happened(play):
    async def story(cluster, player):
        player.answer("sequence", ["asked", "syn", "answered"])
        await player.advance("asked")
        assert player.state()["answers"]["sequence"] == {"given": ["asked", "syn", "answered"], "right": None}
        await player.advance("answered")
        truth = ["syn", "asked", "answered"]
        assert player.state()["answers"]["sequence"]["right"] is False
        assert player.state()["answers"]["sequence"]["truth"] == truth

    play("walkthroughs/tiny", story)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("which", "get"),
        ("which", ["list", "watch"]),
        ("which", []),
        ("which", 3),
        ("which", [{}]),
        ("sequence", ["syn", "asked"]),
        ("sequence", ["syn", "syn", "asked"]),
        ("sequence", "syn"),
    ],
)
def test_what_is_no_answer_is_refused(content, question, answer):
    lesson = library.read("walkthroughs/tiny", content.folder)
    with pytest.raises(ValueError, match="The answer to"):
        lesson.question(question).accept(answer)


@pytest.mark.parametrize("answer", [True, "10", None, float("nan"), 1e300, [1]])
def test_what_is_no_number_is_refused(content, answer):
    lesson = library.read("exercises/tiny", content.folder)
    with pytest.raises(ValueError, match="The answer to seconds"):
        lesson.question("seconds").accept(answer)


# -- exercises ---------------------------------------------------------------------------------------------------------


def test_an_exercise_runs_after_its_start_and_is_solved_when_all_checks_have_passed(play):
    async def story(cluster, player):
        assert not cluster.clock.paused
        player.answer("seconds", 10)
        await cluster.command("kubectl scale deployment web --replicas=2", lambda *_: None)
        await wait(30)
        state = player.state()
        assert set(state["checks"]) == {"two"}
        assert not state["solved"]
        assert state["answers"]["seconds"]["right"]
        assert 0 < state["answers"]["seconds"]["truth"] < 30
        player.answer("who", "controller")
        await rest(cluster)
        assert player.told[-1]["solved"]

    play("exercises/tiny", story)


def test_requests_are_counted_from_the_beginning_until_it_is_solved_and_told_then(play, content):
    golf = "golf: {counts: {kind: http.request, from: workstation/kubectl, fields: {verb: patch}}, par: 1}"
    content.change(EXERCISE, ("hints: 1", golf + "\nhints: 1"))
    content.change(
        EXERCISE,
        (
            "kubectl create deployment web --image=nginx",
            "kubectl create deployment web --image=nginx; kubectl scale deployment web --replicas=1",
        ),
    )

    async def story(cluster, player):
        for replicas in (3, 2):
            await cluster.command(f"kubectl scale deployment web --replicas={replicas}", lambda *_: None)
        await wait(30)
        assert player.state()["golf"] is None
        player.answer("who", "controller")
        await rest(cluster)
        assert player.told[-1]["golf"] == {"count": 2, "par": 1}
        await cluster.command("kubectl scale deployment web --replicas=4", lambda *_: None)
        assert player.state()["golf"] == {"count": 2, "par": 1}

    play("exercises/tiny", story)


def test_a_check_stays_passed(play):
    async def story(cluster, player):
        for replicas in (2, 5):
            await cluster.command(f"kubectl scale deployment web --replicas={replicas}", lambda *_: None)
            await wait(30)
        assert "two" in player.state()["checks"]

    play("exercises/tiny", story)


def test_what_the_start_did_passes_no_check(play, content):
    content.change(
        EXERCISE,
        ("objects: {resource: pods,", "entry: {kind: http.request, from: workstation/kubectl}}}  #"),
    )

    async def story(cluster, player):
        await wait(1)
        assert player.state()["checks"] == {}
        await cluster.command("kubectl get pods", lambda *_: None)
        assert "two" in player.state()["checks"]

    play("exercises/tiny", story)


def test_in_an_exercise_a_wrong_answer_may_be_mended_and_does_not_give_the_right_one_away(play):
    async def story(cluster, player):
        player.answer("who", "kubectl")
        await wait(1)
        state = player.state()
        assert state["answers"]["who"] == {"given": "kubectl", "right": False, "seq": None}
        assert "no-kubectl" in state["debriefs"]
        player.answer("who", "controller")
        await wait(1)
        right = {"given": "controller", "right": True, "tries": 2, "truth": "controller", "seq": None}
        assert player.state()["answers"]["who"] == right
        assert "known" in player.state()["checks"]
        with pytest.raises(ValueError, match="answered already"):
            player.answer("who", "kubectl")

    play("exercises/tiny", story)


def test_there_are_as_many_hints_as_there_are(play):
    async def story(cluster, player):
        player.hint()
        assert player.state()["hints"] == 1
        with pytest.raises(ValueError, match="no more hints"):
            player.hint()

    play("exercises/tiny", story)


def test_time_that_is_the_learners_has_the_learners_pace_and_does_not_leap(play):
    async def story(cluster, player):
        player.pace = 2.5
        await player.begin()
        assert (cluster.clock.pace, cluster.clock.paused) == (2.5, player.lesson.kind == "walkthrough")

    for path in ("walkthroughs/tiny", "exercises/tiny"):
        play(path, story, begin=False)


def test_what_runs_in_the_background_is_interrupted_together(play, content):
    content.change(EXERCISE, ("  - {answer: {seconds: 10}}\n", "  - {run: kubectl get pods -w, background: true}\n"
        "  - {run: kubectl get pods -w, background: true}\n  - {wait: 2}\n  - {interrupt: all}\n"))  # fmt: skip

    async def story(cluster, player):
        await player.stage.perform(player.lesson.solution)
        await wait(1)
        ends = [one["fields"] for one in cluster.journal.since(0, 99999) if one["kind"] == "command.finished"]
        assert [one["exitCode"] for one in ends if one["line"].endswith("-w")] == [130, 130]
        assert player.state()["solved"]

    play("exercises/tiny", story)


def test_a_sealed_line_is_run_on_the_control_plane_where_nobody_sees_it(play, content):
    content.change(EXERCISE, ("  - {answer: {seconds: 10}}\n", "  - {run: hostname > /root/made, sealed: true}\n"))

    async def story(cluster, player):
        await player.stage.perform(player.lesson.solution)
        assert cluster.world.host("control-plane").files.read("/root/made") == b"control-plane\n"
        told = [str(one["fields"]) for one in cluster.journal.since(0, 99999)]
        assert not any("/root/made" in text for text in told)

    play("exercises/tiny", story)


def test_the_lessons_own_commands_can_be_shown(content):
    elsewhere = (
        "- run: ssh control-plane\n  - run: export KUBECONFIG=/etc/kubernetes/admin.conf\n  - run: kubectl create"
    )
    content.change(EXERCISE, ("- run: kubectl create", elsewhere))
    lesson = library.read("exercises/tiny", content.folder)
    loop, said = ClusterLoop(Clock()), []

    def typed(line, prompt):
        return (lambda stream, text: said.append((prompt, line, stream, text))), (
            lambda code: said.append((line, code))
        )

    async def tell():
        async with Cluster(ClusterSpec(nodes=1, seed=3, pace=None, effort=REAL_EFFORT), loop) as cluster:
            player = Player(cluster, lesson, lambda _: None, typed)
            await player.begin()

    loop.run_until_complete(tell())
    loop.close()
    line = "kubectl create deployment web --image=nginx"
    printed = ("control-plane:~$", line, "stdout", "deployment.apps/web created\n")
    assert said == [("ssh control-plane", 0), ("export KUBECONFIG=/etc/kubernetes/admin.conf", 0), printed, (line, 0)]


def test_a_cluster_may_end_while_a_lesson_is_on_its_way(content):
    content.change(WALK, ("run: kubectl get pods", "until: {reached: deleted}"))
    lesson = library.read("walkthroughs/tiny", content.folder)
    thread, clocks = ClusterThread(ClusterSpec(nodes=1, seed=3, pace=None, effort=REAL_EFFORT)), []
    thread._on_clock = clocks.append
    thread.start().result(timeout=60)
    players = []

    async def begin(cluster):
        players.append(Player(cluster, lesson, lambda _: None))
        await players[0].begin()

    async def advance(_):
        cluster_pauses = players[0].advance("asked")
        players[0]._clock.pause()
        await cluster_pauses

    try:
        thread.run(begin).result(timeout=60)
        advancing = thread.run(advance)
        thread.clock().result(timeout=60)
    finally:
        thread.stop().result(timeout=60)
    assert advancing.done()
    assert clocks[-1]["paused"], "a page is told of a clock that a lesson has stopped"


def test_what_is_to_happen_to_the_learner_happens_once_and_not_for_what_came_before(play, content):
    typed_it = "{entry: {kind: command.started, label: 'kubectl*'}}"
    event = f"events: [{{id: again, when: {typed_it}, do: [{{run: echo it happened}}]}}]"
    content.change(EXERCISE, ("hints: 1", event + "\nhints: 1"))

    async def story(cluster, player):
        await wait(5)
        assert typed(cluster) == []
        for _ in range(2):
            await cluster.command("kubectl get pods", lambda *_: None)
            await wait(5)
        assert typed(cluster) == ["echo it happened"]

    def typed(cluster):
        entries = cluster.journal.since(0, cluster.journal.head)
        return [one["label"] for one in entries if one["kind"] == "command.started" and "echo" in one["label"]]

    play("exercises/tiny", story)


def test_the_questions_at_the_end_of_a_walkthrough_are_judged_at_once(play, content):
    more = "- {id: last, kind: choice, options: [yes, no], right: yes}\nbeats:\n"
    content.change(WALK, ("beats:\n", f"  {more}"), ("of: [which, sequence]", "of: [which, sequence, last]"))
    content.change(WALK, ("start:\n", "check: [last]\nstart:\n"))

    async def story(cluster, player):
        player.answer("last", "no")
        assert player.state()["answers"] == {"last": {"given": "no", "right": False, "truth": "yes", "seq": None}}

    play("walkthroughs/tiny", story)
