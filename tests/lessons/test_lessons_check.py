"""`manage.py lessons check` plays lessons and tells what does not hold, each with its line."""

import json

import pytest
from django.core.management import CommandError, call_command

from visualizer.lessons import check, check_play, library

WALK, EXERCISE = "walkthroughs/tiny/lesson.yaml", "exercises/tiny/lesson.yaml"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    """Wait a little for what a mistake keeps from coming: in these lessons, what comes does so within seconds."""
    monkeypatch.setattr(check_play, "ALONE_SECONDS", 15.0)
    monkeypatch.setattr(check_play, "SETTLE_SECONDS", 30.0)


@pytest.mark.long
def test_lessons_that_hold_are_counted(content):
    walk, exercise = (check.check(path, content.folder) for path in check.chosen([], content.folder))
    assert (walk.errors, exercise.errors) == ((), ())
    assert walk.counts == "3 beats, 2 questions, 1 mark, 1 cluster; en 8 words, 2 min; de 8 words, 2 min"
    assert exercise.counts == "2 checks, 2 questions, 1 mark, 1 near miss, 3 clusters"
    assert walk.entries > 500
    assert 0 < walk.seconds < 60
    assert str(walk).startswith("walkthroughs/tiny ")


GOLF = "golf: {{counts: {{kind: http.request, from: workstation/kubectl, fields: {{verb: patch}}}}, par: {}}}"
PLAYED = {
    # mistakes that do not hide one another are played together: text, its change, where it is told, what is told
    "a beat": (WALK, ("fields: {verb: delete}", "fields: {verb: never}", "id: deleted", "does not come within 120 s")),
    "a mark": (
        WALK,
        ("marks:\n", "marks:\n  - {id: ghost, when: {entry: {kind: x}}}\n", "id: ghost", "the mark ghost never holds"),
    ),
    "a question and a focus": (
        WALK,
        ("kind: tcp.syn, from", "kind: x, from", "id: sequence", "cannot be judged: syn never holds"),
        ("focus: [workstation/kubectl, ", "focus: [worker-1/kubelet, ", "id: asked", "hides workstation/kubectl"),
    ),
    "anchors and a lane": (
        WALK,
        ("after: answered, fields: {verb: delete}", "fields: {verb: create}", "id: deleted", "add after: answered"),
        ("kind: http.response, answers: asked", "kind: tls.alert, on: asked", "id: answered", "say layer: tls"),
        (
            "focus: [workstation/kubectl, ",
            "focus: [worker-9/kubelet, workstation/kubectl, ",
            "id: asked",
            "no such lane",
        ),
    ),
    "a command": (WALK, ("run: kubectl get pods", "run: kubectl get nonsense", "get nonsense", "ended with 1, not 0")),
    "a start": (WALK, ("run: kubectl create deployment", "run: kubectl create nonsense", "create nonsense", "not 0")),
    "answers": (
        EXERCISE,
        ("answer: {who: controller}", "answer: {who: kubectl}", "id: who, kind", "what is right is controller"),
        ("who: kubectl}", "who: kubectl}", "id: known", "the solution does not pass known"),
        ("answer: {seconds: 10}", "answer: {seconds: 99}", "id: seconds, kind", "what is right is"),
        ("count: 2}}", "count: {least: 1}}}", "id: too-few", "too-few passes two"),
    ),
    "a hint": (
        EXERCISE,
        ("- {hint: true}", "- {hint: true}\n  - {hint: true}", "hint: true", "There are no more hints"),
    ),
    "an answer and a debrief": (
        EXERCISE,
        ("  - {answer: {seconds: 10}}\n", "", "id: seconds, kind", "the solution does not answer seconds"),
        ("answer: {who: kubectl}", "wait: 1", "id: too-few", "too-few does not show no-kubectl"),
    ),
    "par": (EXERCISE, ("hints: 1", f"{GOLF.format(2)}\nhints: 1", "golf: {", "the solution takes 1, and par is 2")),
    "a debrief": (EXERCISE, ("right: false", "right: true", "id: no-kubectl", "no-kubectl is shown to the solution")),
    "a wait": (EXERCISE, ("replicas=2}", "replicas=1}", "until:", "this did not come within 300 s")),
}


@pytest.mark.parametrize("name", PLAYED)
@pytest.mark.long
def test_what_does_not_hold_when_played_is_told_with_its_line(content, name):
    file, *mistakes = PLAYED[name]
    for old, new, _, _ in mistakes:
        content.change(file, (old, new))
    told = content.told(check.check(file.removesuffix("/lesson.yaml"), content.folder).errors)
    for _, _, where, words in mistakes:
        lines = [n for n, line in enumerate((content.folder / file).read_text().splitlines(), 1) if where in line]
        assert any(one.startswith(f"{file}:{n}: ") and words in one for n in lines for one in told), (lines, told)


def test_a_start_that_solves_an_exercise_alone_is_told(content):
    content.change(
        EXERCISE,
        ("image=nginx", "image=nginx --replicas=2"),
        ("answered: {question: who, right: true}", "reached: two"),
    )
    told = content.told(check.check("exercises/tiny", content.folder).errors)
    assert any("the start alone solves it" in one for one in told), told


def test_a_mistake_in_the_files_keeps_a_lesson_from_being_played(content):
    content.change("walkthroughs/tiny/de.md", ("## beat asked: It asks", "## beat asks: It asks"))
    report = check.check("walkthroughs/tiny", content.folder)
    assert len(report.errors) == 2
    assert report.counts == "not played"


def test_lessons_are_chosen_by_slug_or_path(content):
    assert check.chosen(["tiny"], content.folder) == ["walkthroughs/tiny", "exercises/tiny"]
    assert check.chosen(["exercises/tiny/"], content.folder) == ["exercises/tiny"]
    with pytest.raises(LookupError, match="there is no lesson huge; lessons are walkthroughs/tiny, exercises/tiny"):
        check.chosen(["huge"], content.folder)


@pytest.mark.long
def test_the_command_prints_a_line_a_lesson_and_fails_with_each_mistake(content, monkeypatch, capsys):
    monkeypatch.chdir(content.folder)
    here = ("--folder", str(content.folder))
    call_command("lessons", "check", "walkthroughs/tiny", *here)
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("walkthroughs/tiny ")
    assert out[1].startswith("1 lesson, ")
    content.change(WALK, ("level: 1", "level: 9"))
    with pytest.raises(CommandError, match="1 mistake"):
        call_command("lessons", "check", *here)
    assert capsys.readouterr().err == f"{WALK}:4: 9 cannot be this; give a whole number from 1 to 3\n"
    with pytest.raises(CommandError, match="there is no lesson huge"):
        call_command("lessons", "check", "huge", *here)


def test_the_journal_of_each_play_can_be_kept(content, tmp_path):
    journals = tmp_path / "new" / "journals"
    call_command("lessons", "check", "exercises/tiny", "--folder", str(content.folder), "--journals", str(journals))
    assert sorted(file.name for file in journals.iterdir()) == ["tiny-1.jsonl", "tiny-2.jsonl", "tiny-3.jsonl"]
    entries = [json.loads(line) for line in (journals / "tiny-2.jsonl").read_text().splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert any(entry["label"] == "kubectl scale deployment web --replicas=2" for entry in entries)


def test_a_library_leaves_out_what_cannot_be_read_and_says_why(content, monkeypatch, caplog):
    monkeypatch.setattr(library, "CONTENT", content.folder)
    monkeypatch.setattr(library.paths, "__defaults__", (content.folder,))
    monkeypatch.setattr(library.read, "__defaults__", (content.folder,))
    content.change(WALK, ("level: 1", "level: 9"))
    library.library.cache_clear()
    library.find.cache_clear()
    try:
        made = library.library()
        assert list(made.lessons) == ["exercises/tiny"]
        assert content.told(made.errors) == [f"{WALK}:4: 9 cannot be this; give a whole number from 1 to 3"]
        assert "walkthroughs/tiny is left out" in caplog.text
        assert library.find("exercises/tiny") is made.lessons["exercises/tiny"]
    finally:
        library.library.cache_clear()
        library.find.cache_clear()
