"""What documents and code both list is the same in both. (Settings: tests/web/test_web_readme.py.)"""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ENGINE = ROOT / "cluster_engine"
CHANGES = (ROOT / "ARCHITECTURE.md").read_text().partition("## Where a change goes")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", CHANGES, re.MULTILINE)[1:]
PLACE = re.compile(r"`([\w.-]+/[\w./-]*)`")
NAME = re.compile(r"`(--[\w-]+)`|key `([\w.]+)`|\b([A-Z]{2,}_[A-Z_]+|CONTROLLERS)\b")


def kinds_in_the_docs():
    text = (ROOT / "docs" / "journal.md").read_text()
    table = text[text.index("## Kinds") : text.index("## Sentences")]
    rows = re.findall(r"^\| (\w+) \| (.*) \|$", table, re.MULTILINE)
    return {family: set(re.findall(r"`([a-z0-9]+\.[a-z_]+)`", row)) for family, row in rows}


def kinds_with_words():
    """The kinds that have words in English; what follows the two parts of a kind chooses among its words."""
    words = ENGINE / "words" / "en"
    said = tomllib.loads((words / "sentences.toml").read_text())["say"]
    explained = tomllib.loads((words / "explanations.toml").read_text())["explain"]
    return {".".join(key.split(".")[:2]) for key in (*said, *explained) if "." in key}


def kinds_noted(*folders):
    """The kinds of notes that are written under these paths, where they are spelled out."""
    found = set()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            for node in ast.walk(ast.parse(path.read_text())):
                is_note = isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("note", "_note"))
                found |= {one.value for one in node.args if isinstance(one, ast.Constant)} if is_note else set()
    return {one for one in found if re.fullmatch(r"[a-z]+\.[a-z]+", str(one))}


def test_every_kind_of_message_that_has_words_is_documented_and_the_other_way_round():
    documented = kinds_in_the_docs()
    messages = set().union(*(kinds for family, kinds in documented.items() if family != "notes"))
    assert len(messages) > 30
    assert messages - kinds_with_words() == set()
    assert kinds_with_words() - messages - documented["notes"] == set()


def test_every_note_of_processes_commands_and_faults_is_documented():
    noted = kinds_noted(ENGINE / "world", ENGINE / "faults", ENGINE / "cluster.py")
    assert {"process.started", "command.finished", "fault.ended"} <= noted
    assert noted - kinds_in_the_docs()["notes"] == set()


@pytest.mark.parametrize("where", [where for _, where in ROWS], ids=[change for change, _ in ROWS])
def test_a_change_goes_where_the_map_says(where):
    places = [ROOT / place for place in PLACE.findall(where)]
    assert places
    assert [place for place in places if not place.exists()] == []
    text = "".join(place.read_text() for place in places if place.is_file())
    names = [name for found in NAME.findall(where) for name in found if name]
    assert [name for name in names if name not in text] == []


def test_ten_changes_are_on_the_map():
    assert len(ROWS) == 10


def test_every_decision_is_listed_under_its_title():
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^- \[(\d{4})\]\((.+)\) (.+)$", (folder / "README.md").read_text(), re.MULTILINE)
    titles = {path.name: path.read_text().partition("\n")[0] for path in sorted(folder.glob("[0-9]*.md"))}
    assert {name: f"# {int(number)}. {title}" for number, name, title in listed} == titles
    assert all(name.startswith(f"{number}-") for number, name, _ in listed)


def test_every_decision_says_its_status_context_decision_and_consequences():
    for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"):
        text = path.read_text()
        assert re.search(r"^Status: ", text, re.MULTILINE), path.name
        parts = [part for part in re.findall(r"^## (.+)$", text, re.MULTILINE) if part != "Considered"]
        assert parts == ["Context", "Decision", "Consequences"], path.name
