"""Progress: joined from browsers, told by clusters, shown, exported, deleted."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import AsyncClient
from django.utils import timezone
from people_password import PASSWORD

from visualizer import services as clusters
from visualizer.database import in_database
from visualizer.hosting.messages import Lesson
from visualizer.lessons.library import find
from visualizer.models import Cluster
from visualizer.people import notes, services
from visualizer.people.models import Progress
from visualizer.people.outlines import outlines
from visualizer.people.selectors import document_of

LESSON, EXERCISE = "walkthroughs/mutual-tls", "exercises/node-down"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OUTLINES = {LESSON: notes.Outline(beats=("a", "b", "c"), hints=2, questions=3)}


def read(**note) -> notes.Note | None:
    return notes.read(json.dumps({LESSON: note}).encode(), OUTLINES, NOW).get(LESSON)


def test_a_browser_s_note_is_read_by_the_lesson_s_measure():
    note = read(
        beat="b", beats=[9, 9], solvedAt=None, hints=7, answers={"right": 9, "total": 5}, at="2026-11-20T10:00:00.000Z"
    )
    assert (note.beat, note.reached, note.hints, note.right, note.answered, note.solved_at) == ("b", 2, 2, 3, 3, None)
    assert note.at == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_an_instant_that_no_calendar_has_in_utc_is_the_oldest_there_is():
    first = "0001-01-01T00:00:00+14:00"
    note = read(solvedAt=first, at=first)
    assert note.solved_at == note.at == notes.EPOCH
    assert note.document(None)["solvedAt"] == "1970-01-01T00:00:00.000Z"


def test_what_a_browser_says_of_the_future_is_taken_for_now():
    note = read(solvedAt="2099-01-01T00:00:00Z", at="2099-01-01T00:00:00Z")
    assert note.solved_at == note.at == NOW


def test_a_beat_that_is_not_there_any_more_is_forgotten():
    assert read(beat="z", at="").beat == ""


@pytest.mark.parametrize(
    "note",
    [
        *({"hints": odd} for odd in (-1, "many", 1e400, 1.5, 10**30)),
        *({"beat": odd} for odd in ("x" * 101, 7, {})),
        *({"beats": odd} for odd in ([1], 7, [1, 2, 3])),
        *({"solvedAt": "yesterday"}, {"answers": 5}, {"at": 5}),
        *(7, None, "x", []),
    ],
)
def test_a_note_that_makes_no_sense_is_left_out_and_the_others_are_kept(note):
    body = json.dumps({LESSON: note, EXERCISE: {"hints": 1}}).replace("Infinity", "1e999").encode()
    assert set(notes.read(body, {**OUTLINES, EXERCISE: notes.Outline(hints=4)}, NOW)) == {EXERCISE}


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b"\xff", b"[" * 5000, b'{"a":' * 5000])
def test_what_is_no_document_is_refused(body):
    with pytest.raises(notes.BadDocument):
        notes.read(body, OUTLINES, NOW)


def test_a_document_is_bounded():
    many = json.dumps({f"exercises/{n}": {} for n in range(notes.NOTES_MAX + 1)}).encode()
    large = json.dumps({LESSON: {"beat": "x" * notes.BYTES_MAX}}).encode()
    for body in (many, large):
        with pytest.raises(notes.BadDocument):
            notes.read(body, OUTLINES, NOW)


def test_joined_notes_keep_what_is_solved_and_the_later_of_the_rest_in_either_order():
    early = notes.Note(at=NOW - timedelta(days=2), beat="a", hints=2, solved_at=NOW - timedelta(days=3))
    late = notes.Note(at=NOW, beat="c", solved_at=NOW)
    for joined in (early.joined(late), late.joined(early)):
        assert (joined.beat, joined.hints, joined.solved_at, joined.at) == ("c", 0, early.solved_at, NOW)


def test_a_note_travels_as_the_page_keeps_it():
    note = notes.Note(at=NOW, beat="b", reached=2, hints=1, right=1, answered=2)
    assert note.document(OUTLINES[LESSON]) == {
        "beat": "b",
        "beats": [2, 3],
        "solvedAt": None,
        "hints": 1,
        "answers": {"right": 1, "total": 2},
        "at": "2026-11-21T12:00:00.000Z",
    }
    assert read(**note.document(OUTLINES[LESSON])) == note


def test_a_player_s_state_is_read_as_progress():
    state = {
        "beat": "b",
        "hints": 1,
        "answers": {"q": {"given": 1, "right": True}, "r": {"given": 2, "right": None}},
        "solved": True,
    }
    note = notes.of_state(state, OUTLINES[LESSON], NOW)
    assert (note.beat, note.reached, note.hints, note.right, note.answered, note.solved_at) == ("b", 2, 1, 1, 2, NOW)


def test_who_was_led_back_has_still_been_as_far_as_they_were():
    note = notes.of_state({"beat": "a", "furthest": "b"}, OUTLINES[LESSON], NOW)
    assert (note.beat, note.reached) == ("b", 2)


def test_every_lesson_has_its_measure():
    assert outlines()[LESSON].beats == tuple(beat.id for beat in find(LESSON).beats)
    assert outlines()[EXERCISE].hints == find(EXERCISE).hints


# With a database ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_cluster_tells_of_its_lesson_and_a_solved_one_stays_solved(django_user_model):
    ann = django_user_model.objects.create_user("ann")
    services.note_progress(ann, EXERCISE, {"solved": True, "hints": 1, "answers": {}})
    solved_at = Progress.objects.get().solved_at
    services.note_progress(ann, EXERCISE, {"solved": False, "hints": 2, "answers": {}})
    row = Progress.objects.get()
    assert (row.solved_at, row.hints) == (solved_at, 2)
    services.note_progress(ann, "exercises/none", {"solved": True})
    assert Progress.objects.count() == 1


pages = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def signed_in(client: AsyncClient) -> AsyncClient:
    await client.post("/account/sign-in/", {"name": "ann", "password": PASSWORD})
    return client


async def post(client, document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return await client.post("/progress/", data=body, content_type="application/json")


class TestPages:
    """What the pages of progress do."""

    pytestmark = pages

    async def test_what_a_browser_kept_is_joined_with_what_the_account_has(self, client, ann):
        await signed_in(client)
        solved = (timezone.now() - timedelta(days=1)).isoformat()
        first = await post(
            client, {EXERCISE: {"solvedAt": solved, "hints": 1, "at": solved}, "exercises/none": {"hints": 1}}
        )
        assert first.status_code == 200
        assert set(first.json()["progress"]) == {EXERCISE}
        later = (
            await post(client, {EXERCISE: {"solvedAt": None, "hints": 2, "at": timezone.now().isoformat()}})
        ).json()
        assert later["progress"][EXERCISE]["hints"] == 2
        assert later["progress"][EXERCISE]["solvedAt"].startswith(solved[:19])
        assert "<span>1 of " in (await client.get("/progress/")).content.decode()

    async def test_a_browser_without_an_account_keeps_its_progress_to_itself(self, client):
        assert (await post(client, {EXERCISE: {"hints": 1}})).status_code == 403
        assert (await client.get("/progress/")).status_code == 200
        assert not await in_database(Progress.objects.exists)()

    async def test_nonsense_is_refused_in_words(self, client, ann):
        await signed_in(client)
        assert (await post(client, b"nonsense")).status_code == 400
        response = await post(client, b"x" * (notes.BYTES_MAX + 1))
        assert response.status_code == 413
        assert "no progress" in response.json()["message"]

    async def test_an_account_s_progress_is_exported_and_can_be_read_back(self, client, ann):
        await signed_in(client)
        await post(client, {EXERCISE: {"hints": 1, "at": "2026-11-01T00:00:00Z"}})
        response = await client.get("/progress/export/")
        assert response["Content-Disposition"] == 'attachment; filename="glassplane-progress.json"'
        before = await in_database(document_of)(ann)
        assert response.json() == before
        assert (await post(client, response.content)).json()["progress"] == before

    async def test_progress_is_deleted_on_request(self, client, ann):
        await signed_in(client)
        await post(client, {EXERCISE: {"hints": 1}})
        page = await client.post("/progress/delete/", follow=True)
        assert "The progress is deleted." in page.content.decode()
        assert not await in_database(Progress.objects.exists)()

    async def test_nobody_sees_another_s_progress(self, client, ann, django_user_model):
        bob = await in_database(django_user_model.objects.create_user)("bob")
        await in_database(Progress.objects.create)(user=bob, lesson=EXERCISE, solved_at=timezone.now())
        await signed_in(client)
        assert (await client.get("/progress/export/")).json() == {}
        assert 'data-mark="done"' not in (await client.get("/progress/")).content.decode()


@pytest.mark.django_db
def test_what_is_solved_in_an_account_s_cluster_is_the_account_s_progress(django_user_model):
    ann = django_user_model.objects.create_user("ann")
    hers = Cluster.objects.create(visitor="v", user=ann, lesson=EXERCISE)
    nobodys = Cluster.objects.create(visitor="w", lesson=LESSON)
    for cluster in (hers, nobodys):
        clusters.keep_place(cluster.pk, None, Lesson({"solved": True, "hints": 3}))
    row = Progress.objects.get()
    assert (row.user, row.lesson, row.hints) == (ann, EXERCISE, 3)
    assert row.solved_at is not None
