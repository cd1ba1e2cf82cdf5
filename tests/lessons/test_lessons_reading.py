"""Lessons are read from YAML; every mistake is told with its file, its line and what to do."""

import pytest

from cluster_engine.words.languages import document, languages
from visualizer.lessons import check, lesson_page, library, steps
from visualizer.lessons.myths import plain_words
from visualizer.lessons.questions import UNITS, Between
from visualizer.lessons.source import FILE_BYTES_MAX, InvalidLessonError, Source

WALK, EXERCISE = "walkthroughs/tiny/lesson.yaml", "exercises/tiny/lesson.yaml"


def errors_of(content, path):
    return content.told(check.read(path, content.folder))


# -- YAML --------------------------------------------------------------------------------------------------------------


def test_words_of_yaml_1_1_are_texts():
    source = Source.parse("{on: yes, off: no, date: 2026-01-01, time: 1:30, oct: 010}", "x.yaml")
    assert source.data == {"on": "yes", "off": "no", "date": "2026-01-01", "time": "1:30", "oct": 10}


def test_scalars_are_those_of_json():
    source = Source.parse('[1, -2, 1.5, 1e3, true, false, null, ~, "1", "true", .inf]', "x.yaml")
    assert source.data == [1, -2, 1.5, 1000.0, True, False, None, None, "1", "true", ".inf"]


def test_a_place_has_the_line_of_its_key_or_of_what_is_above_it():
    source = Source.parse("a: 1\nbeats:\n  - id: x\n    do:\n      - run: y\n", "x.yaml")
    assert source.line(("beats", 0, "do", 0, "run")) == 5
    assert source.line(("beats", 0, "do", 7)) == 4
    assert source.line(("nowhere",)) == 1


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\na: 2\n", 2, "a is there twice"),
        ("a: &x 1\nb: *x\n", 1, "no references"),
        ("from: */kubelet\n", 1, "in quotes"),
        ("a: [1\nb: 2\n", 2, "mend the YAML"),
        ("? [a]\n: 1\n", 1, "a key is a plain text"),
        ("a: 1\n<<: {b: 1}\n", 2, "a key is a plain text"),
        ("", 1, "the file is empty"),
        ("[" * 100 + "]" * 100, 1, "nested too deeply"),
        ("a: !!python/object:os.system x\n", 1, None),
    ],
)
def test_a_yaml_mistake_has_its_line(text, line, words):
    if words is None:  # a tag makes nothing: what is tagged is the text it is
        assert Source.parse(text, "x.yaml").data == {"a": "x"}
        return
    with pytest.raises(InvalidLessonError) as caught:
        Source.parse(text, "x.yaml")
    (error,) = caught.value.errors
    assert error.line == line
    assert words in str(error)


def test_a_file_has_a_bound(content):
    content.write(WALK, "#" * (FILE_BYTES_MAX + 1))
    assert f"{WALK}:1: the file is longer than {FILE_BYTES_MAX} bytes" in errors_of(content, "walkthroughs/tiny")[0]


# -- lessons -----------------------------------------------------------------------------------------------------------


def test_the_small_lessons_are_without_a_mistake(content):
    assert errors_of(content, "walkthroughs/tiny") == []
    assert errors_of(content, "exercises/tiny") == []


def test_a_lesson_becomes_records(content):
    walk = library.read("walkthroughs/tiny", content.folder)
    assert (walk.path, walk.slug, walk.url) == ("walkthroughs/tiny", "tiny", "/walkthroughs/tiny/")
    assert walk.names == ("asked", "answered", "deleted", "syn")
    assert walk.beats[0].do == (steps.Run(line="kubectl get pods"),)
    assert walk.beats[0].line == content.line(WALK, "id: asked")
    assert walk.beats[1].hand_over.suggest == "kubectl delete deployment web"
    exercise = library.read("exercises/tiny", content.folder)
    assert exercise.question("seconds").truth == Between("scaled", "two")
    assert [(one.question, one.before) for one in exercise.ask] == [("seconds", "start"), ("who", "checks")]
    assert exercise.near_misses[0].refuses == ("two", "known")


def test_a_lesson_may_play_on_a_cluster_as_kubeadm_makes_it_with_options(content):
    plain = {"nodes": 1, "seed": 3, "system_pods": False, "etcd_members": 1, "audit": False, "key_lab": False}
    assert library.read("walkthroughs/tiny", content.folder).cluster == plain
    content.change(WALK, ("seed: 3", "seed: 3, system-pods: true, etcd-members: 3, audit: true, key-lab: true"))
    made = {**plain, "system_pods": True, "etcd_members": 3, "audit": True, "key_lab": True}
    assert library.read("walkthroughs/tiny", content.folder).cluster == made


BROKEN = [
    (WALK, "walkthrough: tiny", "walkthrough: other", "other is not the folder's name"),
    (WALK, "walkthrough: tiny", "lecture: tiny", "begin with walkthrough: or exercise:"),
    (WALK, "minutes: 2", "minuts: 2", "there is no key minuts"),
    (WALK, "level: 1", "level: 9", "give a whole number from 1 to 3"),
    (WALK, "seed: 3", "seed: x", "'x' cannot be this"),
    (WALK, "seed: 3", "seed: 3, system-pods: 1", "1 is neither true nor false"),
    (WALK, "run: kubectl create", "rnu: kubectl create", "a step has one of the keys run, interrupt"),
    (WALK, "run: kubectl create deployment web --image=nginx", "answer: {which: list}", "answer has no place here"),
    (WALK, "run: kubectl create deployment web --image=nginx", "fault: {name: fire}", "there is no fault fire"),
    (WALK, "run: kubectl create deployment web --image=nginx", "heal: fire", "possible are all, stop"),
    (WALK, "run: kubectl create deployment web --image=nginx", "wait: -1", "give 0 to 7200"),
    (WALK, "run: kubectl create deployment web --image=nginx", "interrupt: me", "possible are all"),
    (WALK, "on: asked", "on: nobody", "there is no name 'nobody'; names are asked, answered, deleted, syn"),
    (WALK, "kind: tcp.syn", "kin: tcp.syn", "there is no key kin"),
    (WALK, "right: list", "right: lost", "possible are list, watch"),
    (WALK, "items: [syn, asked, answered]", "items: [syn, syn]", "syn is there twice"),
    (WALK, "items: [syn, asked, answered]", "items: [syn, nobody]", "there is no name 'nobody'"),
    (WALK, "kind: choice", "kind: guess", "possible are choice, order, number"),
    (WALK, "id: answered", "id: Answered!", "small letters, digits and single hyphens"),
    (WALK, "question: sequence", "question: nothing", "possible are which, sequence"),
    (WALK, "wire: [syn, asked, answered]", "wire: [nobody]", "there is no name 'nobody'"),
    (WALK, "label: GET pods", "label: asks for pods", "words that need translating (asks, for)"),
    (WALK, "label: GET pods", "label: GET pods, says: all", "either a label or says something"),
    (WALK, "says: all", "says: All of them", "small letters, digits and single hyphens"),
    (WALK, "{from: kubectl, to: etcd,", "{from: the client, to: etcd,", "'the client' is no component"),
    (WALK, "open: headers", "open: nothing", "possible are what, why, headers"),
    (WALK, "open: headers", "layer: ip", "possible are story, http, tls, tcp"),
    (WALK, "open: headers", "within: soon", "'soon' is no number"),
    (WALK, "open: headers", "hand-over: {sugest: x}", "there is no key sugest"),
    (WALK, "of: [which, sequence]", "of: [whish, sequence]", "there is no part 'whish'; possible are asked, direct,"),
    (WALK, 'docs/", title: Kubernetes}', 'docs/"}', "this page has no title"),
    (WALK, 'apiserver: the server"}', 'apiserver: the server", title: x}', "is no page and has a title"),
    (WALK, "subjects: [3]", "subjects: [0]", "give a whole number from 1 to 99"),
    (WALK, "right: list", "right: {any: [list]}", "give 2 to 12"),
    (WALK, "right: list", "right: list, decided-by: nobody", "there is no name 'nobody'"),
    (WALK, "items: [syn, asked, answered]", "items: [syn, [asked]]", "give 2 to 12"),
    (WALK, "items: [syn, asked, answered]", "items: [syn, [asked, syn]]", "syn is there twice"),
    (WALK, "beats:\n", "check: [nothing]\nbeats:\n", "possible are which, sequence"),
    (EXERCISE, "hints: 1", "events: [{id: cut, when: {reached: nobody}, do: []}]", "there is no name 'nobody'"),
    (EXERCISE, "hints: 1", "events: [{id: cut, when: {reached: scaled}, do: [hint: true]}]", "hint has no place here"),
    (EXERCISE, "count: 2", "count: two", "whole number from 0"),
    (EXERCISE, "resource: pods", "resource: pod", "there is no resource pod; resources are pods"),
    (EXERCISE, "unit: seconds", "unit: days", "there is no unit 'days'; possible are seconds, milliseconds"),
    (EXERCISE, "to: two", "to: nobody", "there is no name 'nobody'"),
    (EXERCISE, "answer: {seconds: 10}", "answer: {seconds: ten}", "The answer to seconds is a number"),
    (EXERCISE, "answer: {seconds: 10}", "answer: {minutes: 10}", "there is no key minutes; keys are seconds, who"),
    (EXERCISE, "until: {reached: two}", "until: {reached: nobody}", "there is no name 'nobody'"),
    (EXERCISE, "ask: [seconds", "ask: [minutes", "possible are seconds, who"),
    (EXERCISE, "refuses: [two, known]", "refuses: [three]", "possible are two, known"),
    (EXERCISE, "debrief: no-kubectl", "debrief: nothing", "possible are no-kubectl"),
    (EXERCISE, "hints: 1", "hints: 99", "give a whole number from 0 to 10"),
    (EXERCISE, "hints: 1", "golf: {counts: {kind: x, after: two}, par: 1}\nhints: 1", "no names to refer to here"),
    (EXERCISE, "hints: 1", "golf: {counts: {kind: x}, par: 0}\nhints: 1", "give a whole number from 1 to 100"),
    (EXERCISE, "hint: true", "hint: false", "write hint: true"),
]


@pytest.mark.parametrize(("file", "old", "new", "words"), BROKEN, ids=[f"{new[:40]}" for _, _, new, _ in BROKEN])
def test_a_mistake_is_told_with_its_line_and_remedy(content, file, old, new, words):
    content.change(file, (old, new))
    line = content.line(file, new.partition("\n")[0])
    told = errors_of(content, file.removesuffix("/lesson.yaml"))
    assert any(one.startswith(f"{file}:{line}: ") and words in one for one in told), told


@pytest.mark.parametrize("language", languages())
def test_the_page_has_a_word_for_every_unit(language):
    words = document(language)
    assert {key.removeprefix("lesson.unit.") for key in words if key.startswith("lesson.unit.")} == set(UNITS)


def test_what_a_lesson_claims_without_a_source_is_refused(content):
    content.change(
        WALK, ("of: [asked, answered, deleted, direct]", "of: [asked]"), ("of: [which, sequence]", "of: [which]")
    )
    (told,) = errors_of(content, "walkthroughs/tiny")
    assert told.startswith(
        f"{WALK}:{content.line(WALK, 'sources:')}: direct, answered, deleted, sequence has no source"
    )


def test_several_mistakes_are_told_at_once(content):
    content.change(WALK, ("on: asked", "on: nobody"), ("level: 1", "level: 9"), ("open: headers", "open: nothing"))
    assert len(errors_of(content, "walkthroughs/tiny")) == 3


def test_an_id_is_taken_once(content):
    line = content.line(WALK, "id: answered")
    content.change(WALK, ("id: answered", "id: asked"))
    first = content.line(WALK, "id: asked")
    told = errors_of(content, "walkthroughs/tiny")
    assert any(one.startswith(f"{WALK}:{line}: the id asked is taken (line {first})") for one in told), told


def test_names_that_wait_for_each_other_are_refused(content):
    content.change(WALK, ("after: answered, fields", "after: asked, fields"), ("answers: asked", "answers: deleted"))
    assert errors_of(content, "walkthroughs/tiny") == []
    content.change(WALK, ("after: asked, fields", "after: answered, fields"))
    told = errors_of(content, "walkthroughs/tiny")
    assert f"{WALK}:{content.line(WALK, 'id: answered')}: answered waits for deleted, which waits for it" in told[0]


def test_a_lesson_lies_where_its_kind_belongs(content):
    (content.folder / "walkthroughs/tiny").rename(content.folder / "exercises/moved")
    content.change("exercises/moved/lesson.yaml", ("walkthrough: tiny", "walkthrough: moved"))
    assert "a walkthrough lies in exercises/; move it" in errors_of(content, "exercises/moved")[0]


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("DELETE pods", []),
        ("PATCH pod: spec.nodeName", []),
        ("GET ?watch=true", []),
        ("PUT nodes/worker-2/status", []),
        ("410 Gone", []),
        ("the pod is gone", ["the", "is", "gone"]),
        ("PUT status, every 10 s", ["every"]),
    ],
)
def test_an_arrow_s_own_words_are_told_from_a_protocol_s(label, words):
    assert plain_words(label) == words


def test_what_a_page_is_told_of_a_lesson_does_not_say_what_is_right(content):
    lesson = library.read("exercises/tiny", content.folder)
    data = lesson_page.page(lesson)["data"]
    assert data["questions"] == [
        {"id": "seconds", "kind": "number", "unit": "seconds"},
        {"id": "who", "kind": "choice", "options": ["kubectl", "controller"], "many": False},
    ]
    assert data["titles"] == dict.fromkeys(languages(), "Tiny")
    assert data["solution"] == ["kubectl scale deployment web --replicas=2"]
    walk = lesson_page.page(library.read("walkthroughs/tiny", content.folder))["data"]
    assert walk["questions"][1]["items"] == ["answered", "asked", "syn"], "by name, not in the right order"
    assert walk["beats"][1]["handOver"] == {"suggest": "kubectl delete deployment web"}
    assert walk["beats"][0]["myth"]["common"] == [
        {"from": "kubectl", "to": "etcd", "label": "GET pods", "says": None},
        {"from": "etcd", "to": "kubectl", "label": None, "says": "all"},
    ]
    assert walk["beats"][0]["title"] == dict.fromkeys(languages(), "It asks")


def test_a_lesson_that_is_not_there_is_not_found():
    assert library.find("walkthroughs/../../etc") is None
    assert library.find("walkthroughs/no-such") is None


def test_a_lesson_that_is_not_told_in_a_language_yet_is_told_in_english(content):
    (content.folder / "walkthroughs/tiny/de.md").unlink()
    lesson = library.read("walkthroughs/tiny", content.folder)
    assert library.prose(lesson, "de").title == library.prose(lesson, "en").title == "Tiny"
    assert lesson_page.page(lesson)["data"]["titles"]["de"] == "Tiny"
    assert any("walkthroughs/tiny/de.md" in one for one in errors_of(content, "walkthroughs/tiny")), "the check says so"
