"""A word is explained where a lesson uses it first, in every language, and never where it is no running text."""

import re

import pytest

from visualizer.lessons.glossary import MARKED, glossary, linked, read
from visualizer.lessons.lesson import LANGUAGES
from visualizer.lessons.library import library, linked_prose
from visualizer.lessons.prose import Prose, Section, parse

TEXT = """\
# The API server
A watch is opened.

## goal
The Lease, and [a taint](https://example.com/).

## question q: A taint?
Think of a watch cache.

- a: a toleration
### right
An eviction.

## beat two: A watch
A `Lease` is no word but code; **leases** are not listed, a Lease is. *Watches* were marked before.

## beat one: First
Watch-like things are none. Watches are: the API server's watch goes on & on.
"""


def texts(prose: Prose) -> dict[str, list[tuple[str, str]]]:
    return {f"{one.kind} {one.id}".strip(): MARKED.findall(one.html) for one in prose.sections}


def plain(html: str) -> str:
    return re.sub(r'<span class="held">(.*?)</span>', r"\1", MARKED.sub(r"\2", html))


def test_what_follows_a_word_without_a_space_is_not_torn_from_it():
    text = "# T\nS\n\n## goal\n*Leases*. A (*pod*'s) taint, and a watch.\n"
    html = linked(parse(text, "en.md"), [], "en").section("goal").html
    held = [plain(one) for one in re.findall(r'<span class="held">(.*?)</span>', html)]
    assert held == ["<em>Leases</em>.", "(<em>pod</em>'s)", "taint,", "watch."]


def test_each_term_is_marked_at_its_first_use_in_the_order_of_reading():
    found = texts(linked(parse(TEXT, "en.md"), ["one", "two"], "en"))
    assert found["beat one"] == [("watch", "Watches"), ("api-server", "API server")]
    assert found["beat two"] == [("lease", "Lease")]
    assert found["goal"] == []
    assert found["question q"] == [("watch-cache", "watch cache")]


def test_what_is_no_running_text_stays_as_it_was():
    before, after = parse(TEXT, "en.md"), linked(parse(TEXT, "en.md"), ["one", "two"], "en")
    for one, other in zip(before.sections, after.sections, strict=False):
        assert (one.title, one.options, one.answers) == (other.title, other.options, other.answers)
        assert plain(other.html) == one.html
    assert "<code>Lease</code>" in after.section("beat", "two").html


def test_what_is_marked_is_explained_in_a_section_of_its_own():
    prose = linked(parse(TEXT, "en.md"), ["one", "two"], "en")
    assert [one.id for one in prose.sections if one.kind == "term"] == ["watch", "api-server", "lease", "watch-cache"]
    watch = prose.section("term", "watch")
    assert watch.title == "Watch" and 'href="https://kubernetes.io/' in watch.html


def test_a_text_that_looks_like_markup_is_left_alone():
    html = "<p>&lt;watch&gt; &quot;x&quot; <a href='#' data-anchor=\"pod\">a pod</a> <em>a pod</em></p>"
    marked = linked(Prose("f", "t", "s", "i", (Section("goal", "", "t", html),)), [], "en").sections[0].html
    assert plain(marked) == html
    assert MARKED.findall(marked) == [("watch", "watch"), ("pod", "pod")]
    assert marked.endswith("pod</button></em></p>")


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_language_explains_the_same_terms(language):
    assert sorted(read(language)) == sorted(read("en"))
    assert all(set(one) == {"term", "forms", "text"} for one in read(language).values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_means_one_term_and_a_definition_is_one_or_two_sentences(language):
    terms = glossary(language).values()
    forms = [form for term in terms for form in term.forms]
    assert len(forms) == len(set(forms))
    for term in terms:
        sentences = re.findall(r"[.)](?= |$)", term.text)
        assert 1 <= len(sentences) <= 4 and len(term.text) <= 300 and term.text.endswith((".", ".)")), term.id
        assert "`" not in term.text, f"{term.id}: a definition is plain text"
        assert term.source.startswith("https://"), term.id


def test_every_lesson_explains_some_of_its_words_in_every_language():
    for lesson in library().lessons.values():
        for language in LANGUAGES:
            assert any(one.kind == "term" for one in linked_prose(lesson, language).sections), (lesson.path, language)
