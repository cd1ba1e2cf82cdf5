"""The catalogue and the code name the same fields, and each field is explained in every language."""

import ast
import re
from pathlib import Path

import pytest

import cluster_engine.fields
from cluster_engine.fields.catalogue import PART, REASONS, SOURCES, catalogue, reasons, sources
from cluster_engine.fields.field import UNREADABLE
from cluster_engine.words.languages import FOLDER, document, languages, missing

CODE = Path(cluster_engine.fields.__file__).parent
PROTOCOLS = {file.stem for file in SOURCES.glob("*.toml")}
NAME = re.compile(r"[a-z0-9]+(\.[a-z0-9_]+)+")


def names_in_code() -> set[str]:
    """All names of fields that stand in the code: literals that begin with a protocol's name."""
    found = {UNREADABLE}
    for path in CODE.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
                found |= {node.value} if node.value.split(".")[0] in PROTOCOLS else set()
    return found


def test_every_field_that_a_dissector_can_give_is_in_the_catalogue_and_no_other():
    assert names_in_code() == set(sources())


@pytest.mark.parametrize("language", languages())
def test_every_field_is_explained_in_every_language_and_nothing_else_is(language):
    wanted = {f"{name}.{part}" for name in sources() for part in ("label", "text")}
    assert set(document(language, PART)) == wanted


@pytest.mark.parametrize("language", languages())
def test_a_field_has_a_short_label_and_one_sentence(language):
    for name, meaning in catalogue(language).items():
        assert 0 < len(meaning.label) <= 40, name
        assert meaning.text.endswith("."), name
        assert len(meaning.text) <= 320, name
        assert not re.search(r"\. [A-ZÄÖÜ]", meaning.text), f"{name}: more than one sentence"


def test_every_reason_why_bytes_cannot_be_read_is_said_in_every_language():
    nodes = [node for path in CODE.glob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    found = set()
    for node in nodes:
        match node:
            case ast.Call(ast.Name("Unreadable"), [text]) | ast.Assign([ast.Name("problem" | "reason")], text):
                found |= {
                    said
                    for one in (text.values if isinstance(text, ast.BoolOp) else [text])
                    if (said := pattern_of(one))
                }
    assert {PLACE.sub("{}", text) for text in reasons("en")} == found
    for language in languages():
        assert missing(language, REASONS) == []


PLACE = re.compile(r"\{\w+\}")


def pattern_of(node: ast.AST) -> str:
    match node:
        case ast.Constant(str(text)) if " " in text:
            return text
        case ast.JoinedStr(parts):
            return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in parts)
    return ""


def test_every_source_can_be_followed():
    for name, meaning in catalogue("en").items():
        assert meaning.source, name
        assert re.fullmatch(r"https://[\w./#@:~%?=&-]+", meaning.url), name


def test_one_file_a_protocol_in_every_language():
    for folder in (SOURCES, *(FOLDER / language / PART for language in languages())):
        assert {file.stem for file in folder.glob("*.toml")} == PROTOCOLS


def test_a_source_is_an_rfc_with_a_section_or_a_title_and_a_url():
    meaning = catalogue("en")["tls.alert.level"]
    assert (meaning.source, meaning.url) == ("RFC 8446, 6", "https://www.rfc-editor.org/rfc/rfc8446#section-6")
