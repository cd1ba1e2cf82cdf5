"""Prose becomes safe HTML by sections; what is missing, left over or leads nowhere is told with its line."""

import pytest

from visualizer.lessons import check
from visualizer.lessons.prose import parse
from visualizer.lessons.source import InvalidLessonError

WALK_EN, WALK_DE, EXERCISE_EN = "walkthroughs/tiny/en.md", "walkthroughs/tiny/de.md", "exercises/tiny/en.md"

TEXT = """\
# A *title*

The summary,
on two lines.

## beat one: First: the beginning
Text with `code`, <b onclick="x">raw</b> and [a link](beat:two "t").

```sh
kubectl get pods > x
```

## question q: Why?
- not: a list
- of options, all of it

Choose.

- a: **A** it is
- b: `B`

### right
Yes, see [that](https://example.com/?a=1&b=2).
### wrong b
No, see [this](lesson:walkthroughs/tiny).

## hint 1: Look
There.
## differs
"""


def test_a_text_is_cut_into_sections():
    prose = parse(TEXT, "en.md")
    assert (prose.title, prose.summary) == ("A title", "The summary, on two lines.")
    assert [(one.kind, one.id, one.title) for one in prose.sections] == [
        ("beat", "one", "First: the beginning"),
        ("question", "q", "Why?"),
        ("hint", "1", "Look"),
        ("differs", "", ""),
    ]
    assert prose.section("beat", "one").line == 6


def test_raw_html_is_shown_as_text_and_links_lead_to_known_places():
    html = parse(TEXT, "en.md").section("beat", "one").html
    assert "<b" not in html
    assert "&lt;b onclick=&quot;x&quot;&gt;raw" in html
    assert '<a href="#" data-anchor="two">a link</a>' in html
    assert '<pre class="command"><code>kubectl get pods &gt; x\n</code></pre>' in html


def test_a_questions_options_and_answers_are_apart_from_its_text():
    question = parse(TEXT, "en.md").section("question", "q")
    assert question.options == {"a": "<strong>A</strong> it is", "b": "<code>B</code>"}
    assert "of options, all of it" in question.html
    assert "it is" not in question.html
    assert '<a href="https://example.com/?a=1&amp;b=2" rel="noopener">that</a>' in question.answers["right"]
    assert '<a href="/walkthroughs/tiny/">this</a>' in question.answers["wrong b"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x", 1, "there is no title"),
        ("# T\n\n## goal: G\nx", 1, "there is no summary"),
        ("# T\nx\n\n# U\n", 4, "there is a second title"),
        ("# T\nx\n\n## Something\ny", 4, "'Something' is no section"),
        ("# T\nx\n\n## goal x: G\ny", 4, "a section goal has no id"),
        ("# T\nx\n\n## beat: G\ny", 4, "a section beat has an id"),
        ("# T\nx\n\n## beat b\ny", 4, "the section beat b has no title"),
        ("# T\nx\n\n## beat b: B\n### right\ny", 5, "'right' has no place here"),
        ("# T\nx\n\n## question q: Q\n### perhaps\ny", 5, "'perhaps' has no place here"),
        ("# T\nx\n\n## question q: Q\n### right\n### wrong\ny", 5, "nothing is said below 'right'"),
        ("# T\nx\n\n## beat b: B\ny\n## beat b: B\nz", 6, "beat b was on line 4"),
        ("# T\nx\n\n## beat b: B\n[y](http://x.org)", 5, "is no address for a link"),
        ("# T\nx\n\n## beat b: B\n[y](lesson:../etc)", 5, "is no address for a link"),
        ("# T\nx\n\n## beat b: B\n[y](#top)", 5, "is no address for a link"),
        ("# T\nx\n\n## beat b: B\n![y](https://x.org/y.png)", 5, "no pictures"),
        ("# T\nx\n\n## beat b: B\nFirst.\n\n200. The answer.", 7, "a list begins with 200."),
    ],
)
def test_a_mistake_in_prose_has_its_line(text, line, words):
    with pytest.raises(InvalidLessonError) as caught:
        parse(text, "en.md")
    assert [(one.line, words in str(one)) for one in caught.value.errors] == [(line, True)], str(caught.value)


def test_a_script_cannot_hide_in_a_link():
    with pytest.raises(InvalidLessonError):
        parse("# T\nx\n\n## beat b: B\n[y](https://x.org/\"onclick='z')", "en.md")
    html = parse("# T\nx\n\n## beat b: B\n[y](javascript:alert(1))", "en.md").sections[0].html
    assert "<a" not in html


LEFT_OVER = [
    (WALK_EN, "## beat answered: It", "## beat ansered: It", ("there is no beat answered", "has no beat ansered")),
    (WALK_DE, "## myth direct: ", "## myth indirect: ", ("there is no myth direct", "has no myth indirect")),
    (WALK_EN, "- watch: WATCH\n", "", ("the option watch of which has no text",)),
    (WALK_EN, "- watch: WATCH\n", "- watch: WATCH\n- get: GET\n", ("which has no option get",)),
    (WALK_DE, "- all: all of them\n", "", ("the label all of direct has no text",)),
    (WALK_DE, "- all: all of them\n", "- all: alle\n- any: x\n", ("direct has no label any; its arrows say all",)),
    (WALK_EN, "### wrong watch\nNo.\n", "", ("nothing is said to a wrong answer of which",)),
    (WALK_EN, "### wrong watch", "### wrong list", ("to a wrong answer", "which cannot be answered 'wrong list'")),
    (WALK_EN, "(mark:syn)", "(mark:sin)", ("mark:sin leads nowhere; there are syn",)),
    (WALK_EN, "(beat:asked)", "(check:asked)", ("check:asked leads nowhere; there is no check",)),
    (WALK_EN, "Over.", "", ("beat deleted says nothing",)),
    (
        EXERCISE_EN,
        "(lesson:walkthroughs/tiny)",
        "(lesson:walkthroughs/huge)",
        ("lesson:walkthroughs/huge leads nowhere",),
    ),
    (EXERCISE_EN, "## hint 1: ", "## hint 2: ", ("there is no hint 1", "has no hint 2")),
    (EXERCISE_EN, "## goal: What to do\n", "## differs: What to do\n", ("there is no goal",)),
]


@pytest.mark.parametrize(("file", "old", "new", "words"), LEFT_OVER)
def test_prose_says_all_that_the_lesson_has_and_nothing_else(content, file, old, new, words):
    content.change(file, (old, new))
    told = content.told(check.read(file.rpartition("/")[0], content.folder))
    for one in words:
        assert any(error.startswith(f"{file}:") and one in error for error in told), told


def test_a_language_that_is_missing_is_told(content):
    (content.folder / WALK_DE).unlink()
    told = content.told(check.read("walkthroughs/tiny", content.folder))
    assert told == [f"{WALK_DE}:1: the file is not there; write de.md"]


def test_what_one_language_adds_the_other_must_have(content):
    content.write(WALK_EN, (content.folder / WALK_EN).read_text() + "\n## differs: Differs\nRFC 8446.\n")
    told = content.told(check.read("walkthroughs/tiny", content.folder))
    assert told == [f"{WALK_DE}:1: there is no differs; write the section ## differs: Title (lesson.yaml, line 1)"]


def test_a_walkthrough_that_is_too_long_is_refused_in_its_language(content):
    content.change(WALK_DE, ("## beat asked: It asks\n", "## beat asked: It asks\n" + "word " * 901))
    told = content.told(check.read("walkthroughs/tiny", content.folder))
    assert f"{WALK_DE}:1: its beats have 909 words; cut them to 900" in told
    assert "walkthroughs/tiny/lesson.yaml:1: reading and doing it takes 7 minutes, not 2; write minutes: 7" in told


def test_the_minutes_that_a_walkthrough_names_are_those_that_it_takes(content):
    content.change("walkthroughs/tiny/lesson.yaml", ("minutes: 2", "minutes: 6"))
    (told,) = content.told(check.read("walkthroughs/tiny", content.folder))
    assert told == "walkthroughs/tiny/lesson.yaml:1: reading and doing it takes 2 minutes, not 6; write minutes: 2"
