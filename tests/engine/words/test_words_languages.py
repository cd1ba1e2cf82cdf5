"""Languages are folders of texts: each has every text, and one more folder is one more language."""

import re
import shutil
from pathlib import Path

import pytest

from cluster_engine.words.languages import FOLDER, by_file, document, languages, missing

ROOT = Path(__file__).resolve().parents[3]


PARTS = ["", *sorted(folder.name for folder in (FOLDER / "en").iterdir() if folder.is_dir())]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", languages())
def test_a_language_lacks_no_text_and_fills_the_same_places(language, part):
    assert missing(language, part) == []


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", languages())
def test_no_language_has_a_text_that_english_does_not_have(language, part):
    forms = re.compile(r"_(zero|one|two|few|many|other)$")
    english = {forms.sub("", key) for key in document("en", part)}
    assert [key for key in document(language, part) if forms.sub("", key) not in english] == []


@pytest.mark.parametrize("language", languages())
def test_a_text_stands_in_the_file_in_which_english_has_it(language):
    forms = re.compile(r"_(zero|one|two|few|many|other)$")
    english = {name: {forms.sub("", key) for key in texts} for name, texts in by_file("en").items()}
    for name, texts in by_file(language).items():
        assert {forms.sub("", key) for key in texts} == english[name], name


def test_a_part_is_not_among_the_texts_that_every_page_loads():
    assert "cards" in PARTS
    assert document("en", "cards").keys().isdisjoint(document("en"))


@pytest.fixture
def with_french(tmp_path):
    """The folder of words, with a language in it that says little yet."""
    folder = tmp_path / "words"
    shutil.copytree(FOLDER, folder)
    (folder / "fr").mkdir()
    (folder / "fr/page.toml").write_text('[language]\nname = "Français"\n\n[lanes]\nonly = "Seulement {qui}"\n')
    (folder / "fr/sentences.toml").write_text('[say]\n"tcp.syn" = "{from} ouvre une connexion vers {to}"\n')
    return folder


def test_a_language_is_added_by_adding_its_files(with_french):
    assert languages(with_french) == {**languages(), "fr": "Français"}
    assert next(iter(languages(with_french))) == "en"
    french = document("fr", folder=with_french)
    assert french["say.tcp.syn"] == "{from} ouvre une connexion vers {to}"
    assert french["lanes.you"] == "you", "what it lacks is said in English"


def test_what_a_language_lacks_is_told_by_key(with_french):
    lacking = missing("fr", folder=with_french)
    assert {"lanes.you", "health.hosts_other", "say.tcp.fin", "explain.tcp.syn"} <= set(lacking)
    assert "lanes.only" in lacking, "its place is another"
    assert "say.tcp.syn" not in lacking


def test_nothing_but_these_folders_and_the_lessons_knows_which_languages_there_are():
    sources = [*ROOT.glob("static/js/**/*.js"), *ROOT.glob("templates/**/*.html"), *ROOT.glob("visualizer/**/*.py")]
    sources += ROOT.glob("cluster_engine/**/*.py")
    code = {str(one): re.sub(r'""".*?"""|#.*', "", one.read_text("utf-8"), flags=re.DOTALL) for one in sources}
    assert len(code) > 100
    assert [one for one, text in code.items() if re.search(r"""["'](?:de|fr)["']""", text)] == []
