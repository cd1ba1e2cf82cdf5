"""Every sentence of the web tier exists in every language."""

import ast
import gettext
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import override

from cluster_engine.words.languages import languages
from cluster_engine.words.sentences import page_parts, page_words
from visualizer.catalogs import compile_catalogs, packed, parse
from visualizer.language import language_of
from visualizer.page_words import write_words
from visualizer.reasons import REASONS, said

CALLS = {"gettext", "gettext_lazy", "gettext_noop", "_"}
WORDS = re.compile(r"[^\W\d_]{2,}")
NAMES = {"Glassplane", "Deutsch", "English", "manage", "py", "changepassword"}
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
TAG = re.compile(r"""{%\s*trans(?:late)?\s+(?:"([^"]+)"|'([^']+)')""")
BLOCK = re.compile(r"{%\s*blocktrans(?:late)?(?P<options>[^%]*)%}(?P<text>.*?){%\s*endblocktrans", re.DOTALL)


def sentences_in_code() -> set[str]:
    found = set()
    for path in (settings.ROOT / "visualizer").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS and node.args:
                argument = node.args[0]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found.add(argument.value)
    return found


def sentences_in_templates() -> set[str]:
    found = set()
    for path in (settings.ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        found |= {one or other for one, other in TAG.findall(text)}
        for block in BLOCK.finditer(text):
            forms = re.split(r"{%\s*plural\s*%}", re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", block["text"]))
            found.add("\0".join(" ".join(form.split()) if "trimmed" in block["options"] else form for form in forms))
    return found


def catalog(language: str) -> dict[str, str]:
    return parse((settings.ROOT / f"visualizer/locale/{language}/LC_MESSAGES/django.po").read_text())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_missing_in_any_language(language):
    wanted = sentences_in_code() | sentences_in_templates()
    assert len(wanted) > 20
    assert sorted(wanted - set(catalog(language))) == []


def words_outside_of_tags(template: str) -> set[str]:
    """What a template says to readers by itself, and so in one language only."""
    for left_out in (
        r"{%\s*comment.*?endcomment\s*%}|{#.*?#}|<script.*?</script>|<svg.*?</svg>",
        r"{%\s*block main_class\s*%}.*?{%\s*endblock\s*%}|{%\s*blocktrans.*?endblocktrans\s*%}",
        r"{%.*?%}|{{.*?}}|&\w+;",
    ):
        template = re.sub(left_out, " ", template, flags=re.DOTALL)
    said = re.findall(r'(?:alt|title|placeholder|aria-label)="([^"]*)"', template) + re.split(r"<[^>]*>", template)
    return {word for one in said for word in WORDS.findall(one)} - NAMES


def test_no_template_speaks_in_one_language_only():
    for path in (settings.ROOT / "templates").rglob("*.html"):
        assert words_outside_of_tags(path.read_text()) == set(), path.name
    assert words_outside_of_tags('<p title="Close">{% trans "Open" %} the door</p>') == {"Close", "the", "door"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_over(language):
    assert sorted(set(catalog(language)) - sentences_in_code() - sentences_in_templates() - {""}) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_names_what_its_sentence_names(language):
    for sentence, translation in catalog(language).items():
        names = re.compile(r"%\(\w+\)s")
        assert sorted(names.findall(sentence)) == sorted(names.findall(translation)) or not sentence, sentence


def test_what_the_page_says_is_served_in_parts_that_are_made_again_when_a_text_has_changed(tmp_path):
    write_words(tmp_path / "words")
    file = tmp_path / "words" / "de.json"
    parts = page_parts("de")
    assert json.loads(file.read_text()) == parts[""]
    assert json.loads((tmp_path / "words" / "rooms.de.json").read_text()) == parts["rooms"]
    assert {key: text for part in parts.values() for key, text in part.items()} == page_words("de")
    assert sum(map(len, parts.values())) == len(page_words("de")), "each text is in one of them"
    made = file.stat().st_mtime_ns
    write_words(tmp_path / "words")
    assert file.stat().st_mtime_ns == made
    file.write_text("{}")
    write_words(tmp_path / "words")
    assert json.loads(file.read_text()) == parts[""]
    assert page_words("de")["kind.replicasets"] == "ReplicaSet", "kinds are called what the API server calls them"
    assert dict(settings.LANGUAGES) == languages()


def test_a_reason_is_said_in_the_language_of_the_reader():
    with override("de"):
        assert said("idle").startswith("Diesem Cluster hat")
    with override("en"):
        assert said("idle") == REASONS["idle"]
        assert said("") == ""
        assert said("a code of a newer version") == REASONS["broken"]
        assert said("broken", 1243) == f"{REASONS['broken']} (#1243)"


SAMPLE = """msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

# a comment
msgid "one \\"two\\" "
"three"
msgstr "eins \\"zwei\\"\\n"
"drei ü"

msgctxt "verb"
msgid "watch"
msgstr "zusehen"

msgid "%d entry"
msgid_plural "%d entries"
msgstr[0] "%d Eintrag"
msgstr[1] "%d Einträge"

#, fuzzy
msgid "not sure"
msgstr "unsicher"

msgid "not yet"
msgstr ""
"""


def test_a_catalog_is_read_back_by_gettext():
    made = gettext.GNUTranslations(io.BytesIO(packed(parse(SAMPLE))))
    assert made.gettext('one "two" three') == 'eins "zwei"\ndrei ü'
    assert made.pgettext("verb", "watch") == "zusehen"
    assert made.ngettext("%d entry", "%d entries", 5) == "%d Einträge"
    assert made.gettext("not sure") == "not sure"
    assert made.gettext("not yet") == "not yet"


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="no GNU msgfmt to compare with")
def test_a_catalog_says_what_gnu_msgfmt_makes_of_it(tmp_path):
    (tmp_path / "a.po").write_text(SAMPLE)
    subprocess.run(["msgfmt", "-o", tmp_path / "a.mo", tmp_path / "a.po"], check=True)
    with (tmp_path / "a.mo").open("rb") as theirs:
        assert (
            gettext.GNUTranslations(theirs)._catalog
            == gettext.GNUTranslations(io.BytesIO(packed(parse(SAMPLE))))._catalog
        )


def test_a_catalog_is_made_again_only_when_its_source_is_newer(tmp_path: Path):
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(SAMPLE)
    compile_catalogs(tmp_path)
    made = (folder / "django.mo").stat().st_mtime_ns
    compile_catalogs(tmp_path)
    assert (folder / "django.mo").stat().st_mtime_ns == made


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ([], "en"),
        ([(b"accept-language", b"de-CH, en;q=0.5")], "de"),
        ([(b"accept-language", b"de"), (b"cookie", b"a=b; django_language=en")], "en"),
        ([(b"accept-language", b"xx;;;;"), (b"cookie", b"\xff\xfe=;;=")], "en"),
    ],
)
def test_a_socket_speaks_the_language_of_its_page(headers, language):
    assert language_of({"headers": headers}) == language
